//! async-task over a plain queue of one thread, as its documentation begins, for speed: a local wake is a push without
//! a lock; only remote wakes pass through an inbox.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::mem::{self, ManuallyDrop};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use async_task::Builder;
use executor::support::{RootWaker, UNPOISONED};
use executor::{BlockOn, Capabilities, Described, Executor, Idle, NestedBlockOn, Spawn, WakeNames};
use pin_project_lite::pin_project;
use slab::Slab;

use crate::owner::{Entered, Owner, is_here};
use crate::sharing::AbortHandle;
use crate::task_handle::TaskHandle;

/// Each task carries the inbox as metadata. That leaves the schedule function without captures, for which async-task
/// has a shorter `wake`.
type Runnable = async_task::Runnable<Arc<Inbox>>;

/// async-task over a queue of the thread that made it.
#[derive(Debug)]
pub struct AsyncTaskExecutor {
    local: Rc<Local>,
    inbox: Arc<Inbox>,
}

/// What only the owner thread touches.
#[derive(Debug, Default)]
struct Local {
    ready: RefCell<VecDeque<Runnable>>,
    /// The tasks that were ready when the round began. Only the run loop borrows it.
    round: RefCell<VecDeque<Runnable>>,
    /// A waker for each unfinished task, for the executor's drop.
    tasks: RefCell<Slab<Waker>>,
}

/// Where other threads leave the tasks that they wake. Public only as a part of the join handle's type.
#[derive(Debug)]
pub struct Inbox {
    owner: Owner,
    woken: Mutex<Vec<Runnable>>,
}

thread_local! {
    /// The executor that this thread drives. `None` when the thread ends, so it needs no destructor, for which each
    /// access would have to check.
    static LOCAL: RefCell<ManuallyDrop<Option<Rc<Local>>>> = const { RefCell::new(ManuallyDrop::new(None)) };
}

impl Default for AsyncTaskExecutor {
    fn default() -> Self {
        Self { local: Rc::default(), inbox: Arc::new(Inbox { owner: Owner::new(), woken: Mutex::default() }) }
    }
}

impl Described for AsyncTaskExecutor {
    const NAME: &'static str = "async-task";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Task,
        idle: Idle::Parks,
        polls_only_woken: true,
        remote_spawn: false,
        concurrent_drivers: false,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl BlockOn for AsyncTaskExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        let mut future = pin!(future.into_future());
        RootWaker::with(|root| {
            let _entered = self.enter();
            let mut cx = Context::from_waker(root.waker());
            match future.as_mut().poll(&mut cx) {
                Poll::Ready(output) => output,
                Poll::Pending => self.drive(
                    || if root.take_woken() { future.as_mut().poll(&mut cx) } else { Poll::Pending },
                    || root.is_woken(),
                ),
            }
        })
    }
}

impl Spawn for AsyncTaskExecutor {
    type JoinHandle<T: Send + 'static> = TaskHandle<T, Arc<Inbox>>;
    type AbortHandle = AbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output, Arc<Inbox>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut tasks = self.local.tasks.borrow_mut();
        let entry = tasks.vacant_entry();
        let live = Live { owner: self.inbox.owner.address(), key: entry.key() };
        // A panic becomes the task's output, as in async-executor, instead of unwinding through the run loop.
        let builder = Builder::new().propagate_panic(true).metadata(self.inbox.clone());
        let (runnable, task) = builder.spawn(|_| Listed { future, live }, schedule);
        entry.insert(runnable.waker());
        drop(tasks);
        self.local.ready.borrow_mut().push_back(runnable);
        TaskHandle::new(task)
    }
}

impl Executor for AsyncTaskExecutor {
    fn run(&self) {
        let _entered = self.enter();
        self.drive(
            || if self.local.tasks.borrow().is_empty() { Poll::Ready(()) } else { Poll::Pending },
            || self.local.tasks.borrow().is_empty(),
        );
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.local.tasks.borrow().len())
    }
}

/// Called by a wake that made a task ready.
fn schedule(runnable: Runnable) {
    let inbox = runnable.metadata();
    if is_here(inbox.owner.address()) {
        local().expect("set while the thread drives").ready.borrow_mut().push_back(runnable);
    } else {
        schedule_remote(runnable);
    }
}

/// Outlined, so that a local wake saves no registers for it.
#[inline(never)]
fn schedule_remote(runnable: Runnable) {
    let inbox = runnable.metadata().clone();
    inbox.woken.lock().expect(UNPOISONED).push(runnable);
    inbox.owner.notify();
}

/// The executor that this thread drives: a reference-counted share of it, because to use it inside the access would be
/// a call through a pointer, which costs more.
fn local() -> Option<Rc<Local>> {
    LOCAL.with_borrow(|local| Option::clone(local))
}

impl AsyncTaskExecutor {
    fn enter(&self) -> (Current, Entered<'_>) {
        let entered = self.inbox.owner.enter();
        // What this thread woke before it drove comes before what it wakes now.
        if self.inbox.owner.take_notified() {
            self.take_woken();
        }
        (Current::set(self.local.clone()), entered)
    }

    /// Runs the ready tasks, round by round, until `root` is ready. Before it parks, it asks whether to poll the root
    /// again.
    #[inline(never)]
    fn drive<T>(&self, mut root: impl FnMut() -> Poll<T>, root_is_woken: impl Fn() -> bool) -> T {
        let mut round = self.local.round.borrow_mut();
        loop {
            if self.inbox.owner.take_notified() {
                self.take_woken();
            }
            // What becomes ready during the round waits for the next one.
            mem::swap(&mut *self.local.ready.borrow_mut(), &mut *round);
            if round.is_empty() {
                self.inbox.owner.park_unless(&root_is_woken);
            }
            while let Some(runnable) = round.pop_front() {
                runnable.run();
            }
            if let Poll::Ready(output) = root() {
                return output;
            }
        }
    }

    fn take_woken(&self) {
        let woken = mem::take(&mut *self.inbox.woken.lock().expect(UNPOISONED));
        self.local.ready.borrow_mut().extend(woken);
    }
}

/// Wakes every unfinished task, so that it appears once more, in the queue or in the inbox, and is dropped instead of
/// run. Waits for wakes that other threads are about to deliver, whose tasks would otherwise outlive the executor.
impl Drop for AsyncTaskExecutor {
    fn drop(&mut self) {
        if self.inbox.owner.is_driven() {
            // A task is in the middle of its poll, on this stack, so the wait would never end.
            return mem::forget(self.local.clone());
        }
        let tasks = self.local.tasks.take();
        let mut left = tasks.len();
        tasks.into_iter().for_each(|(_, waker)| waker.wake());
        loop {
            let ready = self.local.ready.take();
            left -= ready.len();
            ready.into_iter().for_each(drop);
            if left == 0 {
                return;
            }
            self.inbox.owner.park_unless(|| false);
            self.inbox.owner.take_notified();
            self.take_woken();
        }
    }
}

/// Makes a queue the one to which wakes on this thread push, until this is dropped.
struct Current {
    outer: Option<Rc<Local>>,
}

impl Current {
    fn set(local: Rc<Local>) -> Self {
        Self { outer: ManuallyDrop::into_inner(LOCAL.replace(ManuallyDrop::new(Some(local)))) }
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        drop(ManuallyDrop::into_inner(LOCAL.replace(ManuallyDrop::new(self.outer.take()))));
    }
}

pin_project! {
    /// A future that leaves the list of tasks when it is dropped.
    struct Listed<F> {
        #[pin]
        future: F,
        live: Live,
    }
}

impl<F: Future> Future for Listed<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

/// A task's place in its executor's list.
struct Live {
    owner: usize,
    key: usize,
}

impl Drop for Live {
    fn drop(&mut self) {
        // Otherwise the executor is being dropped and no longer has its list.
        if is_here(self.owner) {
            // Not the last reference to the task: the run loop holds another.
            local().map(|local| local.tasks.borrow_mut().remove(self.key));
        }
    }
}
