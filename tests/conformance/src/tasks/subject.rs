//! `Subject`, the task that most clauses watch, the ways in which it ends, and what panics on purpose.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

use executor::{BlockOn, Described, Executor, JoinError, JoinHandle, Spawn};

use crate::probe::{DropCount, Gate, Hook, Log, hooked_waker, quiet_panic, settle};

/// What every [`Subject`] returns.
pub(super) const VALUE: u32 = 7;

/// What every [`Subject`] panics with.
pub(super) const PAYLOAD: &str = "in poll";

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Returns,
    Panics,
    Aborted,
    ExecutorDropped,
}

/// All ends that the executor claims to support.
pub(super) fn ends<E: BlockOn + Described>() -> impl Iterator<Item = End> {
    [End::Returns, End::Panics, End::Aborted, End::ExecutorDropped]
        .into_iter()
        .filter(|&end| end != End::Panics || E::CAPABILITIES.catches_panics)
}

/// Holds a subject's handle, where its own future can reach it.
pub(super) type Slot<E> = Arc<Mutex<Option<<E as Spawn>::JoinHandle<u32>>>>;

/// A task, alone on its executor, that stays pending until the test makes it end.
pub(super) struct Subject<E: Executor + Described + 'static> {
    pub(super) executor: Option<E>,
    pub(super) end: End,
    pub(super) log: Arc<Log>,
    pub(super) slot: Slot<E>,
    pub(super) go: Arc<Gate>,
}

impl<E: Executor + Described + 'static> Subject<E> {
    /// Spawns the task.
    pub(super) fn spawn(end: End) -> Self {
        Self::acting(end, |_| {}, || {})
    }

    /// Spawns a task that acts in every poll, before it may end, and in its drop.
    pub(super) fn acting(
        end: End,
        mut in_poll: impl FnMut(&mut Context<'_>) + Unpin + Send + 'static,
        in_drop: impl FnOnce() + Send + 'static,
    ) -> Self {
        let (executor, log, go) = (E::default(), Log::new(), Gate::new());
        let going = go.clone();
        let task = executor.spawn(
            log.future(move |_, cx| {
                in_poll(cx);
                match end {
                    _ if !going.is_open() => Poll::Pending,
                    End::Panics => quiet_panic(PAYLOAD),
                    _ => Poll::Ready(VALUE),
                }
            })
            .on_drop(in_drop),
        );
        Self { executor: Some(executor), end, log, slot: Arc::new(Mutex::new(Some(task))), go }
    }

    pub(super) fn executor(&self) -> &E {
        self.executor.as_ref().expect("the executor was not dropped yet")
    }

    pub(super) fn settle(&self) {
        settle(self.executor());
    }

    /// The task's handle must not have been taken.
    pub(super) fn abort_handle(&self) -> E::AbortHandle {
        let slot = self.slot.lock().unwrap();
        slot.as_ref().expect("the handle was not dropped yet").abort_handle()
    }

    pub(super) fn take_task(&self) -> E::JoinHandle<u32> {
        self.slot.lock().unwrap().take().expect("the handle was not dropped yet")
    }

    /// Ends the task, which must have been polled, so that it left a waker.
    pub(super) fn end(&mut self) {
        match self.end {
            End::Returns | End::Panics => {
                self.go.open();
                if let Some(waker) = self.log.take_waker() {
                    waker.wake();
                }
            }
            End::Aborted => {
                let task = self.slot.lock().unwrap().take();
                if let Some(task) = task {
                    task.abort();
                    *self.slot.lock().unwrap() = Some(task);
                }
            }
            End::ExecutorDropped => drop(self.executor.take()),
        }
        if self.executor.is_some() {
            self.settle();
        }
    }

    pub(super) fn assert_ended(&self) {
        self.log.assert_sound();
        assert_eq!(self.log.drops(), 1, "drops of the future at its end");
        assert_eq!(
            self.log.dropped_on(),
            Some(thread::current().id()),
            "the future was dropped by a thread that does not drive"
        );
    }
}

/// Fails unless `result` is what a handle must report of that end.
pub(super) fn assert_reports(end: End, result: Result<u32, JoinError>) {
    match (end, result) {
        (End::Returns, Ok(VALUE)) => {}
        (End::Panics, Err(JoinError::Panicked(payload))) => {
            assert_eq!(payload.into_inner().downcast_ref(), Some(&PAYLOAD), "the handle lost the panic's payload");
        }
        (End::Aborted | End::ExecutorDropped, Err(JoinError::Cancelled)) => {}
        (end, result) => panic!("the task ended so: {end:?}; the handle reports {result:?}"),
    }
}

/// Fails unless the handle, polled once after that end, reports it.
pub(super) fn assert_result_of(end: End, polled: Poll<Result<u32, JoinError>>) {
    match polled {
        Poll::Ready(_) if end == End::Aborted || end == End::ExecutorDropped => {}
        Poll::Ready(result) => assert_reports(end, result),
        Poll::Pending => panic!("the task has ended, but its handle is pending"),
    }
}

/// Panics when it is dropped, unless the thread is already unwinding: then a second panic would abort the process.
pub(super) struct Bomb {
    _count: DropCount,
}

impl Bomb {
    pub(super) fn new(log: &Arc<Log>) -> Self {
        Self { _count: DropCount::new(log) }
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            quiet_panic("in drop");
        }
    }
}

/// A waker that panics at one operation.
pub(super) fn panicking_at(hook: Hook) -> Waker {
    hooked_waker(move |done| {
        if done == hook {
            panic_unless_panicking();
        }
    })
}

/// Panics, except while a failed assertion unwinds: then another panic would abort the process.
pub(super) fn panic_unless_panicking() {
    if !thread::panicking() {
        quiet_panic("on purpose");
    }
}

/// Drops a waker of the test's own and ignores a panic of that drop.
pub(super) fn forgive(waker: Waker) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(waker)));
}
