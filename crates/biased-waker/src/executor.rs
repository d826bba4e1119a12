//! The run loop: it polls the tasks that are in the ready queue, in turn. Nothing ready: it parks.

#![expect(unsafe_code, reason = "what belongs to the driving thread is reached without a lock")]

use std::fmt;
use std::iter;
use std::mem::{self, ManuallyDrop};
use std::panic::{AssertUnwindSafe, RefUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::ptr::{self, NonNull};
use std::task::{Context, Poll};

use executor::support::{Driver, Emptied, Entered, SpareMemory, TaskCount, is_large};
use executor::sync::Arc;
use executor::sync::cell::Cell;
use executor::sync::thread_local;
use executor::{
    BlockOn, Capabilities, Described, Executor, Idle, JoinError, NestedBlockOn, RemoteSpawn, Spawn, Spawner, WakeNames,
};

use crate::abort::AbortHandle;
use crate::join::JoinHandle;
use crate::queue::{EndedList, LocalQueue, RemoteQueue, TaskList};
use crate::root::RootWaker;
use crate::task::{Kept, TaskRef, Turn};
use crate::waker;

/// The least number of turns in a round. To look after every turn whether there is other work would be a good part of
/// what a turn costs.
const SHORT: usize = 32;

/// Polls the tasks that were woken, and parks while there are none.
#[derive(Debug, Default)]
pub struct BiasedExecutor {
    shared: Arc<Shared>,
}

/// Spawns onto a [`BiasedExecutor`] from its tasks and from other threads. Keeps no task alive: once the executor is
/// dropped, what it shares with its spawners is empty and closed.
#[derive(Clone, Debug)]
pub struct BiasedSpawner {
    shared: Arc<Shared>,
}

#[derive(Default)]
pub(crate) struct Shared {
    driver: Driver,
    emptied: Emptied,
    count: TaskCount,
    remote: RemoteQueue,
    local: Local,
}

/// What belongs to the thread that drives the executor or, when nobody can any more, drops it.
#[derive(Default)]
pub(crate) struct Local {
    pub(crate) queue: LocalQueue,
    /// All tasks that have not ended, woken or not: what dropping the executor has to end.
    pub(crate) list: TaskList,
    /// Those that have, until the executor lets go of them.
    ended: EndedList,
    /// The memory of those that are gone, for the next.
    pub(crate) spare: SpareMemory,
    /// The executor whose tasks were at home on this thread before it came to drive. Kept: nested calls end in the order
    /// of a stack, but for those on stacks that a program switches between.
    outer: Cell<Option<Arc<Shared>>>,
}

// SAFETY: `Local` is reached in four ways: through `Shared::local_at`, which asks whether this thread drives; through
// `Shared::arrive`, once `Driver::arrive` has said that it does from now on; in `drive`, `poll_ready`, `has_work` and
// `AtHome`, and what they call, once `Entered::drives` or `Driver::is_here` has said that this thread does; and in the
// executor's drop, once `Driver::close` has said that nobody does nor ever will. At most one thread drives at a time,
// and the right passes from thread to thread with a Release and an Acquire, in `Driver`.
unsafe impl Sync for Local {}
// SAFETY: as above; and what `Local` holds are tasks, which any thread may be the one to drive.
unsafe impl Send for Local {}
// Only a panic that the tasks do not catch could leave it inconsistent, and there is none.
impl RefUnwindSafe for Local {}

impl Described for BiasedExecutor {
    const NAME: &'static str = "biased-waker";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Task,
        idle: Idle::Parks,
        polls_only_woken: true,
        remote_spawn: true,
        concurrent_drivers: true,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl BlockOn for BiasedExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        let mut future = pin!(future.into_future());
        RootWaker::with(|root| {
            let coming = Coming::new(&self.shared, root);
            match future.as_mut().poll(&mut Context::from_waker(root.waker())) {
                Poll::Ready(output) => {
                    drop(coming.end());
                    output
                }
                Poll::Pending => self.drive(coming, root, future.as_mut()),
            }
        })
    }
}

impl Spawn for BiasedExecutor {
    type JoinHandle<T: Send + 'static> = JoinHandle<T>;
    type AbortHandle = AbortHandle;

    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Shared::spawn(&self.shared, future)
    }
}

impl Executor for BiasedExecutor {
    fn run(&self) {
        self.block_on(self.shared.emptied.wait(&self.shared.driver));
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.shared.count.get())
    }
}

impl RemoteSpawn for BiasedExecutor {
    type Spawner = BiasedSpawner;

    fn spawner(&self) -> BiasedSpawner {
        BiasedSpawner { shared: self.shared.clone() }
    }
}

impl Spawn for BiasedSpawner {
    type JoinHandle<T: Send + 'static> = JoinHandle<T>;
    type AbortHandle = AbortHandle;

    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Shared::spawn(&self.shared, future)
    }
}

impl Spawner for BiasedSpawner {
    fn is_closed(&self) -> bool {
        self.shared.remote.is_closed()
    }
}

impl Drop for BiasedExecutor {
    fn drop(&mut self) {
        if !self.shared.driver.close() {
            // A poll is under way, as `Driver::close` explains. All that it reaches is leaked.
            return mem::forget(self.shared.clone());
        }
        let local = &self.shared.local;
        self.shared.remote.close(local);
        while let Some(task) = local.list.first() {
            task.fail(JoinError::Cancelled);
            local.bury(task, &self.shared.count);
        }
        iter::successors(local.queue.take(), |task| task.next_in_chain()).for_each(Kept::leave_queue);
        local.let_go();
        local.spare.clear();
    }
}

impl BiasedExecutor {
    /// Polls the tasks that are ready, and `future` when it is woken, until that is ready. Kept out of `block_on`, so
    /// that a future that is ready at once costs little more than its poll.
    #[inline(never)]
    fn drive<F: Future>(&self, coming: Coming<'_>, root: &RootWaker, mut future: Pin<&mut F>) -> F::Output {
        let entered = coming.enter();
        let mut cx = Context::from_waker(root.waker());
        loop {
            if entered.drives() {
                // Of those whose end the root, which is polled in between, has been told.
                self.shared.local.let_go();
                if self.has_work() {
                    self.poll_ready();
                }
            }
            if root.take_woken() {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
                continue;
            }
            let ready = || root.is_woken() || (entered.drives() && self.has_work());
            if !ready() {
                entered.park_unless(ready);
            }
        }
    }

    /// Polls the tasks that are ready now, in turn. Those that become ready meanwhile wait for the next round, unless
    /// this one is short: so none of them keeps `block_on`'s own future waiting for long.
    fn poll_ready(&self) {
        let local = &self.shared.local;
        self.shared.remote.take(local);
        let mut round = Round::new();
        // Around the round and not around each poll, as even an unused net has to be put up.
        while let Err(payload) = catch_unwind(AssertUnwindSafe(|| round.run(&self.shared))) {
            let task = round.turn.expect("nothing panics but the poll of a task");
            task.fail(JoinError::panicked(payload));
            local.bury(task, &self.shared.count);
        }
        self.shared.emptied.announce_if(|| self.shared.is_empty());
    }

    /// Whether there is something to do. Only for the driving thread.
    fn has_work(&self) -> bool {
        let Shared { local, remote, .. } = &*self.shared;
        !local.queue.is_empty() || !remote.is_empty() || (self.shared.emptied.is_awaited() && self.shared.is_empty())
    }
}

thread_local! {
    /// The executor that this thread drives, if any; with nested calls the innermost. The tasks of those outside are not
    /// at home meanwhile, though this thread drives them, too: what is done to them goes the way for other threads.
    static HOME: Cell<*const Shared> = const { Cell::new(ptr::null()) };
}

/// The executor that this thread drives, or null.
#[inline]
fn home() -> *const Shared {
    // In a thread-local's destructor, where thread-locals are made of keys: then none.
    HOME.try_with(Cell::get).unwrap_or(ptr::null())
}

/// A call of `block_on` under way, whose future is in its first poll. Dropped only by unwinding.
struct Coming<'a> {
    shared: &'a Arc<Shared>,
    call: usize,
}

impl<'a> Coming<'a> {
    #[inline]
    fn new(shared: &'a Arc<Shared>, root: &RootWaker) -> Self {
        let call = root.address();
        shared.driver.begin_first_poll(call);
        Self { shared, call }
    }

    /// The call, if it drives already.
    #[inline]
    fn end(self) -> Option<AtHome<'a>> {
        let Self { shared, call } = *ManuallyDrop::new(self);
        let entered = shared.driver.end_first_poll(call)?;
        Some(AtHome { shared, entered, arrived: Cell::new(true) })
    }

    /// The call, whose future was not ready at once.
    fn enter(self) -> AtHome<'a> {
        let shared = self.shared;
        let enter = || AtHome { shared, entered: shared.driver.enter(), arrived: Cell::new(false) };
        self.end().unwrap_or_else(enter)
    }

    /// Takes no reference to the guard, which would have to be in memory for it.
    #[cold]
    #[inline(never)]
    fn unwind(shared: &'a Arc<Shared>, call: usize) {
        drop(Self { shared, call }.end());
    }
}

impl Drop for Coming<'_> {
    #[inline]
    fn drop(&mut self) {
        Self::unwind(self.shared, self.call);
    }
}

/// A call of `block_on` under way, whose future was not ready at once: what makes a thread the home of the executor's
/// tasks, once it drives.
struct AtHome<'a> {
    shared: &'a Arc<Shared>,
    entered: Entered<'a>,
    arrived: Cell<bool>,
}

impl AtHome<'_> {
    /// Whether this call drives. See [`Entered::drives`].
    #[inline]
    fn drives(&self) -> bool {
        self.arrived.get() || self.arrive()
    }

    #[cold]
    fn arrive(&self) -> bool {
        let drives = self.entered.drives();
        if drives {
            self.arrived.set(true);
            // SAFETY: the pointer is that of an `Arc` which is borrowed for as long as the call is under way.
            unsafe { Shared::settle(Arc::as_ptr(self.shared)) };
        }
        drives
    }

    fn park_unless(&self, ready: impl FnOnce() -> bool) {
        self.shared.let_go();
        self.entered.park_unless(ready);
    }

    /// Makes the thread the home of what it was the home of before, if it still drives that.
    #[inline(never)]
    fn return_to(outer: &Arc<Shared>) {
        if outer.driver.is_here() {
            HOME.with(|home| home.set(Arc::as_ptr(outer)));
            // What this thread called meanwhile comes before what it wakes now.
            outer.remote.take(&outer.local);
        }
    }
}

impl Drop for AtHome<'_> {
    /// Before `entered` passes the right to drive on.
    #[inline]
    fn drop(&mut self) {
        if self.arrived.get() {
            self.shared.let_go();
            HOME.with(|home| home.set(ptr::null()));
            if let Some(outer) = self.shared.local.outer.take() {
                Self::return_to(&outer);
            }
        }
    }
}

/// A round under way.
struct Round {
    /// How many turns there may be before no more tasks are taken out of the queue.
    left: usize,
    /// The task whose turn it is. After that it may be gone, and is not looked at.
    turn: Option<Kept>,
    /// The one after it among those that were taken out of the queue.
    next: Option<Kept>,
}

impl Round {
    fn new() -> Self {
        Self { left: SHORT, turn: None, next: None }
    }

    fn run(&mut self, Shared { local, remote, count, .. }: &Shared) {
        while let Some(task) = self.advance(local) {
            let waker = waker::borrow(task);
            loop {
                self.left = self.left.saturating_sub(1);
                match task.turn(&waker, || remote.take(local)) {
                    Turn::Pending => {}
                    Turn::Ended => break local.bury(task, count),
                    Turn::Gone => break,
                }
                // A task that is alone in the queue again has the next turn at once: to ask who is next would cost as
                // much as the rest of it.
                if self.next.is_some() || self.left == 0 || !local.queue.take_only(task) {
                    break;
                }
            }
        }
    }

    /// Whose turn it is next: of those that were taken out of the queue, or when they have had theirs and were few, of
    /// those that are in it now.
    #[inline]
    fn advance(&mut self, local: &Local) -> Option<Kept> {
        self.turn = match self.next {
            None if self.left > 0 => local.queue.take(),
            next => next,
        };
        self.next = self.turn?.next_in_chain();
        self.turn
    }
}

impl Local {
    /// Ends a task whose result is in its place.
    fn bury(&self, task: Kept, count: &TaskCount) {
        self.list.remove(task);
        count.ended();
        if task.complete(Some(&self.spare)) {
            self.ended.push(task);
        }
    }

    /// Lets go of the tasks that have ended.
    #[inline]
    fn let_go(&self) {
        self.ended.let_go(&self.spare);
    }
}

impl Shared {
    #[inline]
    fn spawn<F>(this: &Arc<Self>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if is_large::<F>() { Self::accept_boxed(this, Box::pin(future)) } else { Self::accept(this, future) }
    }

    /// Kept out of what makes the future, so that this becomes part of that and the box is its place from the start.
    #[inline(never)]
    fn accept_boxed<F>(this: &Arc<Self>, future: Pin<Box<F>>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Self::accept(this, future)
    }

    /// Accepts a future, or drops it at once where the executor is gone.
    fn accept<F>(this: &Arc<Self>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // SAFETY: the pointer is that of an `Arc`, which is borrowed.
        let local = this.local().or_else(|| unsafe { Shared::arrive(Arc::as_ptr(this)) });
        this.count.spawned(local.is_some());
        let (task, handle) = TaskRef::allocate(future, this, local);
        match local {
            Some(Local { queue, list, .. }) => {
                list.insert(task);
                queue.push(task);
            }
            None => match this.remote.push(TaskRef::called(task)) {
                Ok(true) => this.driver.unpark(),
                Ok(false) => {}
                Err(task) => task.reject(),
            },
        }
        handle
    }

    /// Lets go of the tasks that have ended, if this thread drives.
    fn let_go(&self) {
        self.local().into_iter().for_each(Local::let_go);
    }

    /// What belongs to the driving thread, if this is the one.
    #[inline]
    pub(crate) fn local(&self) -> Option<&Local> {
        // SAFETY: it is alive, as it is borrowed.
        unsafe { Self::local_at(|| NonNull::from(self)) }
    }

    /// Like [`local`](Self::local), for a wake: nothing is read, and no register in use, when the thread-local is
    /// asked.
    ///
    /// # Safety
    ///
    /// What `shared` returns is alive for as long as the result is used.
    #[inline]
    pub(crate) unsafe fn local_at<'a>(shared: impl FnOnce() -> NonNull<Self>) -> Option<&'a Local> {
        let home = home();
        let shared = shared();
        if !ptr::eq(home, shared.as_ptr()) {
            return None;
        }
        // SAFETY: as the caller promises.
        let shared = unsafe { shared.as_ref() };
        Some(&shared.local)
    }

    /// What belongs to the driving thread, if this one comes to drive, as it is in the first poll of a `block_on`. See
    /// [`Driver::arrive`].
    ///
    /// # Safety
    ///
    /// `this` is the pointer of an `Arc`, and what it points to is alive for as long as the result is used.
    #[cold]
    unsafe fn arrive<'a>(this: *const Self) -> Option<&'a Local> {
        // SAFETY: as the caller promises.
        let shared = unsafe { &*this };
        if !shared.driver.arrive() {
            return None;
        }
        // SAFETY: as the caller promises; and the call that drives now borrows the executor, which keeps the `Arc`.
        unsafe { Self::settle(this) };
        Some(&shared.local)
    }

    /// Makes the thread, which has come to drive, the home of the executor's tasks.
    ///
    /// # Safety
    ///
    /// `this` is the pointer of an `Arc` that is kept until the call under way ends.
    unsafe fn settle(this: *const Self) {
        // SAFETY: as the caller promises.
        let Self { local, remote, .. } = unsafe { &*this };
        let outer = HOME.with(|home| home.replace(this));
        if !outer.is_null() {
            // SAFETY: `HOME` has the pointer of an `Arc` that the executor holds while a call drives it. It is
            // forgotten when that call ends, and an executor that is dropped before, as the call's stack was
            // forgotten, leaks its `Arc`.
            unsafe { Arc::increment_strong_count(outer) };
            // SAFETY: the count of the line above.
            local.outer.set(Some(unsafe { Arc::from_raw(outer) }));
        }
        // What this thread called before it drove comes before what it wakes now.
        remote.take(local);
    }

    /// Whether no task is left. Only for the driving thread.
    fn is_empty(&self) -> bool {
        self.local.list.first().is_none() && self.remote.is_empty()
    }

    /// Puts a task onto the stack and wakes the thread that drives. The stack of an executor that is gone drops it.
    ///
    /// # Safety
    ///
    /// `this` is the pointer of an `Arc`, and what it points to is alive until this returns.
    pub(crate) unsafe fn push(this: *const Self, task: TaskRef) {
        // SAFETY: as the caller promises.
        if let Ok(true) = unsafe { &*this }.remote.push(task) {
            // SAFETY: as the caller promises.
            unsafe { Self::call(this) };
        }
    }

    /// Makes somebody look at the stack: this thread, if it comes to drive, or the one that does.
    ///
    /// # Safety
    ///
    /// As for [`push`](Self::push).
    unsafe fn call(this: *const Self) {
        // SAFETY: as the caller promises.
        if unsafe { Self::arrive(this) }.is_none() {
            // SAFETY: as the caller promises.
            unsafe { &*this }.driver.unpark();
        }
    }
}

impl fmt::Debug for Shared {
    /// Shows nothing: a writer is foreign code, and must not run under a lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::mpsc;
    use std::task::Waker;

    use executor::yield_now;

    use super::*;

    /// Nothing else sees a count that is not taken, but for a sanitizer, in the window of model m07.
    #[test]
    fn a_task_keeps_what_its_wakers_reach_from_the_merge_until_it_is_freed() {
        let executor = BiasedExecutor::default();
        let shared = Arc::downgrade(&executor.shared);
        let (ended, pending) = executor.block_on(async {
            // From its second poll on, the thread drives.
            yield_now().await;
            let ended = waker_of_a_task(&executor, Poll::Ready(()));
            let pending = waker_of_a_task(&executor, Poll::Pending);
            yield_now().await;
            assert_eq!(shared.strong_count(), 1, "the executor keeps it for all of its tasks");
            (ended, pending)
        });
        let [ended, pending] = [ended, pending].map(|waker| waker.recv().expect("each task was polled"));
        assert_eq!(shared.strong_count(), 2, "the task that has ended keeps it, too");
        drop(executor);
        assert_eq!(shared.strong_count(), 2, "each of the two tasks keeps it");
        ended.wake();
        assert_eq!(shared.strong_count(), 1);
        drop(pending);
        assert_eq!(shared.strong_count(), 0);
    }

    fn waker_of_a_task(executor: &BiasedExecutor, poll: Poll<()>) -> mpsc::Receiver<Waker> {
        let (sender, receiver) = mpsc::channel();
        let _detached = executor.spawn(poll_fn(move |cx| {
            sender.send(cx.waker().clone()).expect("somebody receives it");
            poll
        }));
        receiver
    }
}
