use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::{Mutex, MutexGuard};
use slab::Slab;

use crate::frame::{self, Base, BoxedFuture};

/// An executor that counts references in two words, and keeps a task while there are any.
#[derive(Default)]
pub(crate) struct Core {
    base: Base,
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    /// All tasks that have not ended or are referred to. To be taken off stands for being freed.
    all: Slab<Arc<Task>>,
    /// How many have not ended.
    alive: usize,
    ready: VecDeque<Reference>,
    /// The executor is gone: nothing more is accepted.
    closed: bool,
}

struct Task {
    /// Its key in `Tasks::all`.
    key: usize,
    queued: AtomicBool,
    running: Mutex<Option<(BoxedFuture, Waker)>>,
    count: Mutex<Count>,
    core: Arc<Core>,
}

/// How many references there are: the driving thread counts in `local`, all others in `remote`. Only the sum means
/// something. It is taken when the executor releases the task; from then on every thread counts in `remote`.
///
/// A simplification: both are under a lock. biased-waker does without.
#[derive(Default)]
struct Count {
    local: isize,
    remote: isize,
    merged: bool,
}

/// What the ready queue holds of a task. All wakers of a task share one, and the `Arc` around it counts them.
struct Reference(Arc<Task>);

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
        let (key, queued) = (tasks.all.vacant_key(), AtomicBool::new(true));
        let (running, count) = (Mutex::default(), Mutex::default());
        let task = Arc::new(Task { key, queued, running, count, core: self.clone() });
        let waker = Waker::from(Arc::new(Reference::new(&task)));
        *task.running() = Some((future, waker.clone()));
        tasks.ready.push_back(Reference::new(&task));
        tasks.all.insert(task);
        tasks.alive += 1;
        drop(tasks);
        self.base.driver.unpark();
        waker
    }

    fn poll_ready(&self) {
        let round = self.tasks().ready.len();
        for _ in 0..round {
            let Some(task) = self.pop() else { return };
            task.0.poll();
        }
    }

    fn has_ready(&self) -> bool {
        !self.tasks().ready.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.tasks().alive == 0
    }

    fn close(&self) {
        let mut tasks = self.tasks();
        tasks.closed = true;
        let ready = mem::take(&mut tasks.ready);
        let all: Vec<_> = tasks.all.iter().map(|(_, task)| task.clone()).collect();
        drop(tasks);
        drop(ready);
        for task in all {
            task.end();
        }
    }
}

impl Core {
    fn push(&self, task: Reference) {
        let mut tasks = self.tasks();
        if !tasks.closed {
            tasks.ready.push_back(task);
        }
        drop(tasks);
        self.base.driver.unpark();
    }

    fn pop(&self) -> Option<Reference> {
        self.tasks().ready.pop_front()
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().expect("no code that can panic runs under this lock")
    }
}

impl Count {
    /// Counts a reference made or dropped. True if it was the last.
    fn add(&mut self, change: isize, by_owner: bool) -> bool {
        let word = if by_owner && !self.merged { &mut self.local } else { &mut self.remote };
        *word += change;
        self.merged && self.remote == 0
    }

    /// For the executor, when it releases the task. True if nobody else refers to it.
    fn merge(&mut self) -> bool {
        self.merged = true;
        self.remote += mem::take(&mut self.local);
        self.remote == 0
    }
}

impl Task {
    fn poll(&self) {
        self.queued.swap(false, AcqRel);
        let mut running = self.running();
        let Some((future, waker)) = &mut *running else { return };
        if future.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
            drop(running);
            self.core.tasks().alive -= 1;
            self.end();
        }
    }

    /// Drops the future, if it is there, and releases the task.
    fn end(&self) {
        let running = self.running().take();
        drop(running);
        self.count(Count::merge);
    }

    /// Changes the count. What `change` says was the last reference frees the task.
    fn count(&self, change: impl FnOnce(&mut Count) -> bool) {
        let is_last = change(&mut self.count.lock().expect("no code that can panic runs under this lock"));
        if is_last {
            let _listed = self.core.tasks().all.try_remove(self.key);
        }
    }

    fn add(&self, change: isize) {
        let by_owner = self.core.base.driver.drives_here();
        self.count(|count| count.add(change, by_owner));
    }

    fn running(&self) -> MutexGuard<'_, Option<(BoxedFuture, Waker)>> {
        self.running.lock().expect("a task's future does not panic")
    }
}

impl Reference {
    fn new(task: &Arc<Task>) -> Self {
        task.add(1);
        Self(task.clone())
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

impl Wake for Reference {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.0.queued.swap(true, AcqRel) {
            self.0.core.push(Reference::new(&self.0));
        }
    }
}
