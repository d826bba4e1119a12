//! The run loop: it polls the tasks that are in the ready queue, in turn. Nothing ready: it parks.

use std::collections::VecDeque;
use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::pin::{Pin, pin};
use std::ptr;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use executor::support::{
    BoxedFuture, Driver, Emptied, Entered, Join, RootWaker, TaskAbortHandle, TaskCount, TaskHandle, joinable,
};
use executor::sync::atomic::Ordering::*;
use executor::sync::{Mutex, MutexGuard};
use executor::{
    BlockOn, Capabilities, Described, Executor, Idle, NestedBlockOn, RemoteSpawn, Spawn, Spawner, WakeNames,
};
use slab::Slab;

use crate::channel::{Receiver, Sender, unbounded};
use crate::queue::{LocalQueue, SPAWNED, Spawned};
use crate::task::{Running, Task};

/// The least number of turns in a round. To look after every turn whether there is other work would be a good part of
/// what a turn costs.
const SHORT: usize = 32;

/// Polls the tasks that were woken, and parks while there are none.
#[derive(Debug, Default)]
pub struct ArcExecutor {
    shared: Arc<Shared>,
}

/// Spawns onto an [`ArcExecutor`] from its tasks and from other threads. Keeps no task alive: once the executor is
/// dropped, what it shares with its spawners is empty and closed.
#[derive(Clone, Debug)]
pub struct ArcSpawner {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    driver: Driver,
    emptied: Emptied,
    count: TaskCount,
    /// Where other threads send what they have made ready: as in the [`LocalQueue`], keys and [`SPAWNED`].
    remote: Sender<usize>,
    new_tasks: Mutex<NewTasks>,
    /// Locked by whoever drives for as long as the call takes, so nobody ever waits for it.
    local: Mutex<Local>,
}

/// What other threads have spawned.
#[derive(Default)]
struct NewTasks {
    /// At least as many as there are [`SPAWNED`] in the channel. A thread puts its task in here first, and then sends,
    /// so whatever task is taken out for what was sent, those of one thread keep their order.
    queue: VecDeque<Spawned>,
    /// The executor is gone: nothing is accepted any more.
    closed: bool,
}

/// What belongs to the thread that drives the executor or, when nobody can any more, drops it.
struct Local {
    /// While nobody drives. Then the thread has it at home.
    queue: Option<Box<LocalQueue>>,
    remote: Receiver<usize>,
    /// All tasks that have not ended, woken or not: what dropping the executor has to end. Empty is the place of one
    /// that has ended with its key on the way into the queue: no other task may have it until it is there.
    list: Slab<Option<Running>>,
}

impl Default for Shared {
    fn default() -> Self {
        let (remote, receiver) = unbounded();
        Self {
            driver: Driver::new(),
            emptied: Emptied::new(),
            count: TaskCount::new(),
            remote,
            new_tasks: Mutex::default(),
            local: Mutex::new(Local::new(receiver)),
        }
    }
}

impl Described for ArcExecutor {
    const NAME: &'static str = "arc-waker";

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

impl BlockOn for ArcExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        let mut future = pin!(future.into_future());
        RootWaker::with(|root| {
            let coming = Coming::new(&self.shared, root);
            match future.as_mut().poll(&mut Context::from_waker(root.waker())) {
                Poll::Ready(output) => {
                    coming.leave();
                    output
                }
                Poll::Pending => self.drive(coming, root, future.as_mut()),
            }
        })
    }
}

impl Spawn for ArcExecutor {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = TaskAbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(joinable(future))
    }
}

impl Executor for ArcExecutor {
    fn run(&self) {
        self.block_on(self.shared.emptied.wait(&self.shared.driver));
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.shared.count.get())
    }
}

impl RemoteSpawn for ArcExecutor {
    type Spawner = ArcSpawner;

    fn spawner(&self) -> ArcSpawner {
        ArcSpawner { shared: self.shared.clone() }
    }
}

impl Spawn for ArcSpawner {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = TaskAbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(joinable(future))
    }
}

impl Spawner for ArcSpawner {
    fn is_closed(&self) -> bool {
        self.shared.new_tasks().closed
    }
}

impl Drop for ArcExecutor {
    fn drop(&mut self) {
        if !self.shared.driver.close() {
            // A poll is under way, as `Driver::close` explains. All that it reaches is leaked.
            return mem::forget(self.shared.clone());
        }
        // First this: what the tasks spawn while they are dropped is rejected.
        let new_tasks = self.shared.new_tasks().close();
        let Local { list, queue, .. } = self.shared.local().close();
        drop((list, queue, new_tasks));
    }
}

impl ArcExecutor {
    /// Polls the tasks that are ready, and `future` when it is woken, until that is ready. Kept out of `block_on`, so
    /// that a future that is ready at once costs little more than its poll.
    #[inline(never)]
    fn drive<F: Future>(&self, coming: Coming<'_>, root: &RootWaker, mut future: Pin<&mut F>) -> F::Output {
        let entered = coming.enter();
        let mut cx = Context::from_waker(root.waker());
        let mut home = None;
        loop {
            if entered.drives() {
                home.get_or_insert_with(|| AtHome::arrive(&self.shared)).poll_ready();
            }
            if root.take_woken() {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
                continue;
            }
            // Who has just taken over arrives before anything else.
            let ready =
                || root.is_woken() || (entered.drives() && home.as_ref().is_none_or(|home: &AtHome| home.has_work()));
            if !ready() {
                entered.park_unless(ready);
            }
        }
    }
}

/// A call of `block_on` under way, whose future is in its first poll. Dropped only by unwinding.
struct Coming<'a> {
    shared: &'a Shared,
    call: usize,
}

impl<'a> Coming<'a> {
    #[inline]
    fn new(shared: &'a Shared, root: &RootWaker) -> Self {
        let call = root.address();
        shared.driver.begin_first_poll(call);
        Self { shared, call }
    }

    /// The call, if it drives already.
    #[inline]
    fn end(self) -> Option<Entered<'a>> {
        let Self { shared, call } = *ManuallyDrop::new(self);
        shared.driver.end_first_poll(call)
    }

    /// For a future that was ready in its first poll, or has panicked.
    #[inline]
    fn leave(self) {
        let shared = self.shared;
        if let Some(_entered) = self.end() {
            drop(AtHome::arrive(shared));
        }
    }

    /// The call, whose future was not ready at once.
    fn enter(self) -> Entered<'a> {
        let shared = self.shared;
        self.end().unwrap_or_else(|| shared.driver.enter())
    }

    /// Takes no reference to the guard, which would have to be in memory for it.
    #[cold]
    #[inline(never)]
    fn unwind(shared: &'a Shared, call: usize) {
        Self { shared, call }.leave();
    }
}

impl Drop for Coming<'_> {
    #[inline]
    fn drop(&mut self) {
        Self::unwind(self.shared, self.call);
    }
}

/// A thread that drives, and what belongs to it. Dropping it, also by unwinding, leaves that for the next.
struct AtHome<'a> {
    shared: &'a Shared,
    local: MutexGuard<'a, Local>,
}

impl<'a> AtHome<'a> {
    fn arrive(shared: &'a Shared) -> Self {
        Self { shared, local: shared.settle() }
    }

    /// Polls the tasks that are ready now, in turn. Those that become ready meanwhile wait for the next round, unless
    /// this one is short: so none of them keeps `block_on`'s own future waiting for long.
    fn poll_ready(&mut self) {
        let Self { shared, local } = self;
        for _ in 0..shared.receive(local).max(SHORT) {
            let Some(mut key) = shared.queue(LocalQueue::pop).flatten() else { break };
            if key == SPAWNED {
                let spawned = shared.queue(LocalQueue::pop_spawned).flatten();
                key = local.insert(spawned.expect("there is one for each `SPAWNED`"));
            }
            if local.poll(key) {
                shared.count.ended();
            }
        }
        shared.emptied.announce_if(|| shared.is_empty());
    }

    /// Whether there is something to do.
    fn has_work(&self) -> bool {
        let Self { shared, local } = self;
        let ready = shared.queue(|queue| queue.len() > 0).unwrap_or(false) || !local.remote.is_empty();
        ready || (shared.emptied.is_awaited() && shared.is_empty())
    }
}

impl Drop for AtHome<'_> {
    /// Before the right to drive is passed on.
    fn drop(&mut self) {
        self.local.queue = LocalQueue::unsettle(self.shared.address());
    }
}

impl NewTasks {
    fn close(&mut self) -> VecDeque<Spawned> {
        self.closed = true;
        mem::take(&mut self.queue)
    }
}

impl Local {
    fn new(remote: Receiver<usize>) -> Self {
        Self { queue: Some(Box::default()), remote, list: Slab::new() }
    }

    /// Polls a task, or lets go of the place of one that has ended before. True if it has ended with this poll.
    #[inline]
    fn poll(&mut self, key: usize) -> bool {
        match self.list[key].as_mut().map(Running::poll) {
            Some(Poll::Pending) => false,
            Some(Poll::Ready(())) | None => self.remove(key),
        }
    }

    /// Lets go of a task that has ended, and of its place, unless its key is on the way into the queue. True if it has
    /// not been let go of before.
    #[inline(never)]
    fn remove(&mut self, key: usize) -> bool {
        let task = self.list[key].take();
        let ended = task.is_some();
        if !task.is_some_and(Running::end) {
            self.list.remove(key);
        }
        ended
    }

    #[inline(never)]
    fn insert(&mut self, (task, future): Spawned) -> usize {
        let place = self.list.vacant_entry();
        let key = place.key();
        // Relaxed: published with the first swap of `Running::poll`.
        task.key.store(key, Relaxed);
        place.insert(Some(Running::new(task, future)));
        key
    }

    /// Takes out everything there is.
    fn close(&mut self) -> Self {
        let (_, remote) = unbounded();
        mem::replace(self, Self::new(remote))
    }
}

impl Shared {
    /// Accepts a future, or drops it at once where the executor is gone.
    fn spawn<T>(self: &Arc<Self>, (future, join): (BoxedFuture, Join<T>)) -> TaskHandle<T> {
        let task = Task::new(self.clone());
        let handle = join.into_handle(Waker::from(task.clone()));
        if self.queue(|_| ()).is_some() || self.arrive() {
            self.count.spawned(true);
            self.queue(|queue| queue.push_spawned((task, future)));
        } else {
            self.spawn_elsewhere((task, future));
        }
        handle
    }

    #[inline(never)]
    fn spawn_elsewhere(&self, spawned: Spawned) {
        let mut new_tasks = self.new_tasks();
        if new_tasks.closed {
            // Before the future is dropped: nothing that belongs to the user runs under the lock.
            return drop(new_tasks);
        }
        self.count.spawned(false);
        new_tasks.queue.push_back(spawned);
        drop(new_tasks);
        self.send(SPAWNED);
    }

    /// Puts a task into the ready queue and wakes the thread that drives.
    #[inline]
    pub(crate) fn push(&self, key: usize) {
        if self.queue(|queue| queue.push(key)).is_none() {
            self.push_from_elsewhere(key);
        }
    }

    /// Kept out of the short way, which is to stay short.
    #[inline(never)]
    fn push_from_elsewhere(&self, key: usize) {
        if self.arrive() {
            self.queue(|queue| queue.push(key));
        } else {
            self.send(key);
        }
    }

    /// Makes this thread drive, if it is in the first poll of a `block_on`. See [`Driver::arrive`].
    fn arrive(&self) -> bool {
        let arrived = self.driver.arrive();
        if arrived {
            drop(self.settle());
        }
        arrived
    }

    /// The channel of an executor that is gone hands back what is sent, and it is dropped.
    fn send(&self, key: usize) {
        if self.remote.send(key).is_ok() {
            self.driver.unpark();
        }
    }

    /// The ready queue, if this thread drives.
    #[inline]
    fn queue<R>(&self, f: impl FnOnce(&mut LocalQueue) -> R) -> Option<R> {
        LocalQueue::with(self.address(), f)
    }

    /// Makes the thread, which drives, the home of the ready queue, unless it is that.
    fn settle(&self) -> MutexGuard<'_, Local> {
        let mut local = self.local();
        if let Some(queue) = local.queue.take() {
            queue.settle(self.address());
            // What this thread has sent comes before what it makes ready from now on.
            self.receive(&local);
        }
        local
    }

    /// Puts what other threads have sent into the ready queue, and says how long that is.
    fn receive(&self, Local { remote, .. }: &Local) -> usize {
        let received = self.queue(|queue| {
            // Asked first, as it is the quickest question.
            if !remote.is_empty() {
                for key in (0..remote.len()).map_while(|_| remote.try_recv().ok()) {
                    if key == SPAWNED {
                        let spawned = self.new_tasks().queue.pop_front();
                        queue.push_spawned(spawned.expect("a task is put there before that is sent"));
                    } else {
                        queue.push(key);
                    }
                }
            }
            queue.len()
        });
        received.expect("this thread has the queue at home")
    }

    /// Names the executor: no other has this address as long as it lives.
    #[inline]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Whether no task is left. Only for the driving thread.
    fn is_empty(&self) -> bool {
        self.count.get() == 0
    }

    fn new_tasks(&self) -> MutexGuard<'_, NewTasks> {
        self.new_tasks.lock().expect("no code that can panic runs under this lock")
    }

    fn local(&self) -> MutexGuard<'_, Local> {
        // Poisoned by a panic of a root, which leaves nothing half done.
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    /// Shows nothing: a writer is foreign code, and must not run under a lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(wakers_loom)))]
mod tests {
    use std::future::poll_fn;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    use executor::{JoinHandle, yield_now};

    use super::*;

    type Order = Arc<std::sync::Mutex<Vec<usize>>>;

    /// Tasks of which each is pending once, and notes when it is polled again; and their wakers.
    fn tasks<const N: usize>(executor: &ArcExecutor, order: &Order) -> [Waker; N] {
        let wakers: [_; N] = std::array::from_fn(|index| {
            let (slot, order, mut polls) = (Arc::new(std::sync::Mutex::new(None)), order.clone(), 0);
            let waker = slot.clone();
            drop(executor.spawn(poll_fn(move |cx| {
                polls += 1;
                if polls == 1 {
                    *waker.lock().unwrap() = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                order.lock().unwrap().push(index);
                Poll::Ready(())
            })));
            slot
        });
        executor.block_on(yield_now());
        wakers.map(|slot| slot.lock().unwrap().take().expect("each task was polled"))
    }

    #[test]
    fn a_nested_call_does_not_change_the_order_of_wakes() {
        let (executor, inner, order) = (ArcExecutor::default(), ArcExecutor::default(), Order::default());
        let [first, second, third] = tasks(&executor, &order);
        executor.block_on(async {
            yield_now().await;
            first.wake();
            inner.block_on(async {
                yield_now().await;
                second.wake();
            });
            third.wake();
        });
        executor.run();
        assert_eq!(*order.lock().unwrap(), [0, 1, 2]);
    }

    #[test]
    fn what_was_sent_before_a_call_arrived_comes_first() {
        let (executor, order) = (ArcExecutor::default(), Order::default());
        let [first, second] = tasks(&executor, &order);
        first.wake();
        assert!(!executor.shared.driver.is_here());
        executor.block_on(async {
            second.wake();
            assert!(executor.shared.driver.is_here());
        });
        executor.run();
        assert_eq!(*order.lock().unwrap(), [0, 1]);
    }

    #[test]
    fn a_call_that_has_arrived_leaves_with_its_first_poll() {
        let executor = ArcExecutor::default();
        executor.block_on(async { drop(executor.spawn(async {})) });
        let panic = catch_unwind(AssertUnwindSafe(|| {
            executor.block_on(async {
                drop(executor.spawn(async {}));
                panic!("the root's")
            })
        }));
        assert!(panic.is_err());
        thread::scope(|scope| scope.spawn(|| executor.run()).join()).expect("another thread drives");
        assert_eq!(executor.tasks(), Some(0));
    }

    #[test]
    fn a_place_is_not_given_away_while_its_key_is_queued() {
        let executor = ArcExecutor::default();
        let mut polls = 0;
        executor.block_on(async {
            executor
                .spawn(poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    Poll::Ready(())
                }))
                .await
                .expect("it does not panic");
            let polled = executor.spawn(poll_fn(move |_| {
                polls += 1;
                if polls == 1 { Poll::<()>::Pending } else { panic!("polled without a wake") }
            }));
            for _ in 0..3 {
                yield_now().await;
            }
            assert!(!polled.is_finished(), "it waits");
        });
        assert_eq!(executor.shared.local().list.len(), 1, "places that are taken");
    }
}
