use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};

use crate::foreign::{discard, discard_panic};
use crate::{JoinError, JoinHandle};

/// A set of tasks, awaited in the order in which they end.
///
/// ```
/// use executor::{Executor, JoinSet};
///
/// async fn sum<E: Executor>(executor: &E) -> u32 {
///     let mut tasks = JoinSet::new();
///     for number in 0..100 {
///         tasks.insert(executor.spawn(async move { number }));
///     }
///     let mut sum = 0;
///     while let Some(number) = tasks.join_next().await {
///         sum += number.expect("no task panics or is aborted");
///     }
///     sum
/// }
/// ```
///
/// Dropping the set aborts the tasks that are in it; [`detach_all`](Self::detach_all) lets them go on.
///
/// # What it costs
///
/// Each task costs an allocation, for a waker that knows its task, and an entry in a `BTreeMap`. Each task's end takes
/// a lock that tasks and set share, wakes the caller of [`join_next`](Self::join_next), and leads to one poll of that
/// task's handle. A handle is polled when it is inserted and when its task has ended: so n tasks cost 2n polls of
/// handles, and not n². A published executor without abort handles of its own pays for those that
/// [`insert`](Self::insert) returns, too. If the order does not matter, handles that are awaited one after the other
/// cost none of this.
pub struct JoinSet<T, H: JoinHandle<T>> {
    members: BTreeMap<u64, Member<T, H>>,
    next_key: u64,
    ended: Arc<Ended>,
}

/// A task of the set.
enum Member<T, H> {
    Running(H),
    /// It had ended when it was inserted.
    Ended(Result<T, JoinError>),
}

/// The handles to poll next.
#[derive(Default)]
struct Ended {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The signals of tasks that have ended, in the order in which they ended.
    signals: VecDeque<Arc<Signal>>,
    /// The task that waits in `join_next`.
    joiner: Option<Waker>,
}

/// The waker with which a handle is polled. It is woken at the task's end, and rarely before.
struct Signal {
    key: u64,
    /// In `signals`, or about to be.
    queued: AtomicBool,
    /// Weak, since `signals` has strong references to this.
    ended: Weak<Ended>,
}

impl<T, H: JoinHandle<T>> JoinSet<T, H> {
    /// An empty set.
    pub fn new() -> Self {
        Self { members: BTreeMap::new(), next_key: 0, ended: Arc::default() }
    }

    /// Adds a task. Returns a handle to abort it alone.
    pub fn insert(&mut self, mut handle: H) -> H::AbortHandle {
        let abort = handle.abort_handle();
        let key = self.next_key;
        self.next_key += 1;
        let signal = Arc::new(Signal { key, queued: AtomicBool::new(false), ended: Arc::downgrade(&self.ended) });
        let waker = Waker::from(signal.clone());
        // From now on the task's end wakes `signal`.
        match Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => {
                self.members.insert(key, Member::Ended(result));
                signal.wake();
            }
            Poll::Pending => _ = self.members.insert(key, Member::Running(handle)),
        }
        abort
    }

    /// The result of the next task that ends, or of one that has ended; `None` if the set is empty. Cancel safe:
    /// dropping this future loses no result.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// As [`join_next`](Self::join_next).
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        if self.members.is_empty() {
            return Poll::Ready(None);
        }
        // Set before the signals are looked at: a task that ends after the last look finds it.
        self.ended.set_joiner(cx.waker());
        while let Some(signal) = self.ended.next() {
            // A waker may be woken without reason, and when its task is no longer in the set.
            let Some(member) = self.members.get_mut(&signal.key) else { continue };
            let ended = match member {
                Member::Ended(_) => None,
                Member::Running(handle) => {
                    let waker = Waker::from(signal.clone());
                    match Pin::new(handle).poll(&mut Context::from_waker(&waker)) {
                        Poll::Pending => continue,
                        Poll::Ready(result) => Some(result),
                    }
                }
            };
            let member = self.members.remove(&signal.key);
            let result = match (ended, member) {
                (Some(result), _) | (None, Some(Member::Ended(result))) => result,
                _ => unreachable!("it was there"),
            };
            return Poll::Ready(Some(result));
        }
        Poll::Pending
    }

    /// Aborts all tasks. They stay in the set until [`join_next`](Self::join_next) has said how they ended.
    pub fn abort_all(&self) {
        for member in self.members.values() {
            if let Member::Running(handle) = member {
                handle.abort();
            }
        }
    }

    /// Detaches all tasks. They go on, and the set is empty.
    pub fn detach_all(&mut self) {
        for (_, member) in mem::take(&mut self.members) {
            // As with a handle: a panic in the drop of a result is discarded.
            discard_panic(|| drop(member));
        }
        let signals = mem::take(&mut self.ended.state().signals);
        drop(signals);
    }

    /// How many tasks are in the set: those that run, and those whose results have not been taken.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no task is in the set.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl Ended {
    /// The waker is foreign code: cloned before the lock is taken, and dropped or woken after it.
    fn set_joiner(&self, waker: &Waker) {
        if self.state().joiner.as_ref().is_some_and(|joiner| joiner.will_wake(waker)) {
            return;
        }
        let fresh = waker.clone();
        let replaced = self.state().joiner.replace(fresh);
        discard(replaced);
    }

    fn next(&self) -> Option<Arc<Signal>> {
        let signal = self.state().signals.pop_front()?;
        // Cleared before the handle is polled: a wake during the poll queues the signal again. AcqRel: pairs with the
        // swap in `wake_by_ref`.
        signal.queued.swap(false, AcqRel);
        Some(signal)
    }

    /// No code that can panic runs under this lock, and no code of the user's.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(ended) = self.ended.upgrade() else { return };
        // AcqRel: pairs with the swap in `next`.
        if self.queued.swap(true, AcqRel) {
            return;
        }
        let joiner = {
            let mut state = ended.state();
            state.signals.push_back(self.clone());
            state.joiner.take()
        };
        // Foreign code: a panic in it must cost no result.
        discard_panic(|| joiner.into_iter().for_each(Waker::wake));
    }
}

impl<T, H: JoinHandle<T>> Default for JoinSet<T, H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, H: JoinHandle<T>> FromIterator<H> for JoinSet<T, H> {
    fn from_iter<I: IntoIterator<Item = H>>(handles: I) -> Self {
        let mut set = Self::new();
        set.extend(handles);
        set
    }
}

impl<T, H: JoinHandle<T>> Extend<H> for JoinSet<T, H> {
    fn extend<I: IntoIterator<Item = H>>(&mut self, handles: I) {
        for handle in handles {
            self.insert(handle);
        }
    }
}

impl<T, H: JoinHandle<T>> Drop for JoinSet<T, H> {
    fn drop(&mut self) {
        self.abort_all();
        let joiner = self.ended.state().joiner.take();
        discard(joiner);
        self.detach_all();
    }
}

impl<T, H: JoinHandle<T>> fmt::Debug for JoinSet<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(wakers_loom)))]
mod tests {
    use super::*;
    use crate::AbortHandle;

    /// The handle of a task that has ended.
    #[derive(Clone, Debug)]
    struct Over;

    impl Future for Over {
        type Output = Result<u32, JoinError>;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            Poll::Ready(Ok(7))
        }
    }

    impl AbortHandle for Over {
        fn abort(&self) {}

        fn is_finished(&self) -> bool {
            true
        }
    }

    impl JoinHandle<u32> for Over {
        type AbortHandle = Self;

        fn abort(&self) {}

        fn is_finished(&self) -> bool {
            true
        }

        fn abort_handle(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn a_set_that_is_used_again_keeps_nothing_of_what_was_detached() {
        let mut set = JoinSet::new();
        for _ in 0..3 {
            set.insert(Over);
            set.detach_all();
            assert_eq!(set.ended.state().signals.len(), 0);
        }
    }
}
