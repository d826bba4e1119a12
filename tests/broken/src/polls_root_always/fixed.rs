use std::collections::VecDeque;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use executor::support::RootWaker;
use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::{Mutex, MutexGuard};
use slab::Slab;

use crate::frame::{self, Base, BoxedFuture};

/// An executor whose loop polls the root and the tasks.
#[derive(Default)]
pub(crate) struct Core {
    base: Base,
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    /// All tasks that have not ended, woken or not.
    all: Slab<Arc<Task>>,
    ready: VecDeque<Arc<Task>>,
    /// The executor is gone: nothing more is accepted.
    closed: bool,
}

struct Task {
    /// Its key in `Tasks::all`.
    key: usize,
    queued: AtomicBool,
    future: Mutex<Option<BoxedFuture>>,
    core: Arc<Core>,
}

impl frame::Core for Core {
    fn base(&self) -> &Base {
        &self.base
    }

    fn spawn(self: Arc<Self>, future: BoxedFuture) -> Waker {
        let mut tasks = self.tasks();
        if tasks.closed {
            drop(tasks);
            return Waker::noop().clone();
        }
        let (key, future) = (tasks.all.vacant_key(), Mutex::new(Some(future)));
        let task = Arc::new(Task { key, queued: AtomicBool::new(true), future, core: self.clone() });
        tasks.all.insert(task.clone());
        tasks.ready.push_back(task.clone());
        drop(tasks);
        self.base.driver.unpark();
        Waker::from(task)
    }

    fn poll_ready(&self) {
        let round = self.tasks().ready.len();
        for _ in 0..round {
            let Some(task) = self.pop() else { return };
            task.poll();
        }
    }

    fn has_ready(&self) -> bool {
        !self.tasks().ready.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.tasks().all.is_empty()
    }

    fn close(&self) {
        let Tasks { all, ready, .. } = mem::replace(&mut *self.tasks(), Tasks { closed: true, ..Tasks::default() });
        drop(ready);
        for (_, task) in all {
            task.cancel();
        }
    }

    fn block_on(&self, mut root: Pin<&mut dyn Future<Output = ()>>) {
        let entered = self.base.driver.enter();
        RootWaker::with(|waker| {
            let mut cx = Context::from_waker(waker.waker());
            // For its first poll.
            cx.waker().wake_by_ref();
            loop {
                if waker.take_woken() && root.as_mut().poll(&mut cx).is_ready() {
                    return;
                }
                if entered.drives() {
                    self.poll_ready();
                    self.base.run_waiters.notify_if_empty(|| self.is_empty());
                }
                let ready = || waker.is_woken() || (entered.drives() && self.has_work());
                while !ready() {
                    entered.park_unless(ready);
                }
            }
        });
    }
}

impl Core {
    fn push(&self, task: Arc<Task>) {
        let mut tasks = self.tasks();
        if !tasks.closed {
            tasks.ready.push_back(task);
        }
        drop(tasks);
        self.base.driver.unpark();
    }

    fn pop(&self) -> Option<Arc<Task>> {
        self.tasks().ready.pop_front()
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().expect("no code that can panic runs under this lock")
    }
}

impl Task {
    fn poll(self: Arc<Self>) {
        self.queued.swap(false, AcqRel);
        let waker = Waker::from(self.clone());
        let mut future = self.future.lock().expect("a task's future does not panic");
        let Some(running) = &mut *future else { return };
        if running.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            *future = None;
            let _listed = self.core.tasks().all.try_remove(self.key);
        }
    }

    /// Drops the future without another poll.
    fn cancel(&self) {
        let future = self.future.lock().expect("a task's future does not panic").take();
        drop(future);
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, AcqRel) {
            self.core.push(self.clone());
        }
    }
}
