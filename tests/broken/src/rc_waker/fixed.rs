#![expect(unsafe_code, reason = "wakers that are counted by hand")]

use std::collections::VecDeque;
use std::mem::{self, ManuallyDrop};
use std::sync::Arc;
use std::task::{Context, RawWaker, RawWakerVTable, Waker};

use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::{Mutex, MutexGuard};
use slab::Slab;

use crate::frame::{self, Base, BoxedFuture};

/// What counts the references to a task.
type Count<T> = Arc<T>;

/// An executor with wakers that are counted by hand.
#[derive(Default)]
pub(crate) struct Core {
    base: Base,
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    /// All tasks that have not ended, woken or not.
    all: Slab<Count<Task>>,
    ready: VecDeque<Count<Task>>,
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
        let task = Count::new(Task { key, queued: AtomicBool::new(true), future, core: self.clone() });
        tasks.all.insert(task.clone());
        tasks.ready.push_back(task.clone());
        drop(tasks);
        self.base.driver.unpark();
        // SAFETY: the waker owns the reference that `task` was.
        unsafe { Waker::from_raw(counted(Count::into_raw(task).cast())) }
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
}

impl Core {
    fn push(&self, task: Count<Task>) {
        let mut tasks = self.tasks();
        if !tasks.closed {
            tasks.ready.push_back(task);
        }
        drop(tasks);
        self.base.driver.unpark();
    }

    fn pop(&self) -> Option<Count<Task>> {
        self.tasks().ready.pop_front()
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().expect("no code that can panic runs under this lock")
    }
}

impl Task {
    fn poll(self: Count<Self>) {
        self.queued.swap(false, AcqRel);
        // SAFETY: `self` keeps the task alive during the poll; `ManuallyDrop` keeps the waker from giving a reference
        // back.
        let waker = ManuallyDrop::new(unsafe { Waker::from_raw(counted(Count::as_ptr(&self).cast())) });
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

    fn wake_by_ref(self: &Count<Self>) {
        if !self.queued.swap(true, AcqRel) {
            self.core.push(self.clone());
        }
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// A waker that owns a reference to `task`.
fn counted(task: *const ()) -> RawWaker {
    RawWaker::new(task, &VTABLE)
}

/// # Safety, here and below
///
/// `task` comes from `Count::into_raw`, and the waker that it is taken from keeps it alive.
unsafe fn clone(task: *const ()) -> RawWaker {
    // SAFETY: the waker keeps the task alive, and the new reference is the new waker's.
    unsafe { Count::increment_strong_count(task.cast::<Task>()) };
    counted(task)
}

unsafe fn wake(task: *const ()) {
    // SAFETY: the waker is consumed, and its reference passes to this pointer.
    let task = unsafe { Count::from_raw(task.cast::<Task>()) };
    task.wake_by_ref();
}

unsafe fn wake_by_ref(task: *const ()) {
    // SAFETY: the waker keeps the task alive; `ManuallyDrop` leaves it its reference.
    let task = ManuallyDrop::new(unsafe { Count::from_raw(task.cast::<Task>()) });
    task.wake_by_ref();
}

unsafe fn release(task: *const ()) {
    // SAFETY: the waker is dropped, and its reference passes to this pointer.
    drop(unsafe { Count::from_raw(task.cast::<Task>()) });
}
