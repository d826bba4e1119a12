//! What a program must lead to, computed without an executor.

use std::collections::VecDeque;

use crate::program::{Action, GATES, OnDrop, Program, Step};

/// Which tasks an executor polls, and in which order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Discipline {
    /// The tasks that were woken, in the order of the wakes: how often each is polled is certain.
    Woken,
    /// All tasks, in the order of the spawns, as long as anything moves.
    All,
}

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Value,
    Cancelled,
    Panicked,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Handle {
    /// Not spawned yet, or never.
    None,
    Held,
    /// Awaited by the thread that drives: nothing else can reach it.
    Away,
    /// Dropped, or has yielded its result.
    Gone,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) spawned: bool,
    pub(crate) polls: usize,
    pub(crate) end: Option<End>,
    pub(crate) handle: Handle,
    /// The handle has a joiner's waker, which was not woken yet.
    pub(crate) joiner: Option<bool>,
    at: usize,
    yielded: bool,
    queued: bool,
    aborted: bool,
    wakers: usize,
}

pub(crate) struct Model<'a> {
    program: &'a Program,
    pub(crate) discipline: Discipline,
    pub(crate) entries: Vec<Entry>,
    open: [bool; GATES],
    waiting: [Vec<usize>; GATES],
    /// The ready queue, or all tasks.
    queue: VecDeque<usize>,
    moved: bool,
    pub(crate) gone: bool,
}

impl<'a> Model<'a> {
    pub(crate) fn new(program: &'a Program, discipline: Discipline) -> Self {
        let entry = Entry {
            spawned: false,
            polls: 0,
            end: None,
            handle: Handle::None,
            joiner: None,
            at: 0,
            yielded: false,
            queued: false,
            aborted: false,
            wakers: 0,
        };
        Self {
            program,
            discipline,
            entries: vec![entry; program.tasks.len()],
            open: [false; GATES],
            waiting: Default::default(),
            queue: VecDeque::new(),
            moved: false,
            gone: false,
        }
    }

    pub(crate) fn perform(&mut self, action: Action) {
        let task = |index: usize| index % self.program.tasks.len();
        match action {
            Action::Spawn(index) => self.spawn(task(index)),
            Action::Open(index) => {
                let gate = index % GATES;
                self.open[gate] = true;
                std::mem::take(&mut self.waiting[gate]).into_iter().for_each(|task| self.wake(task));
            }
            Action::Wake(index) => {
                let index = task(index);
                if self.entries[index].wakers > 0 {
                    self.entries[index].wakers -= 1;
                    self.wake(index);
                }
            }
            Action::WakeByRef(index) => {
                let index = task(index);
                if self.entries[index].wakers > 0 {
                    self.wake(index);
                }
            }
            Action::CloneWaker(index) => {
                let wakers = &mut self.entries[task(index)].wakers;
                *wakers += usize::from(*wakers > 0);
            }
            Action::DropWaker(index) => {
                let wakers = &mut self.entries[task(index)].wakers;
                *wakers = wakers.saturating_sub(1);
            }
            Action::Abort(index) => {
                let index = task(index);
                let entry = &mut self.entries[index];
                if entry.handle == Handle::Held && entry.end.is_none() {
                    entry.aborted = true;
                    self.wake(index);
                }
            }
            Action::Detach(index) => {
                let entry = &mut self.entries[task(index)];
                if entry.handle == Handle::Held {
                    entry.handle = Handle::Gone;
                    entry.joiner = None;
                }
            }
        }
    }

    fn spawn(&mut self, index: usize) {
        if self.entries[index].spawned {
            return;
        }
        self.entries[index].spawned = true;
        if self.gone {
            self.finish(index, End::Cancelled);
        } else {
            self.entries[index].queued = true;
            self.queue.push_back(index);
        }
        // Only now does the spawning code have the handle, to store it.
        self.entries[index].handle = Handle::Held;
    }

    fn wake(&mut self, index: usize) {
        let entry = &mut self.entries[index];
        if self.discipline == Discipline::Woken && !self.gone && entry.end.is_none() && !entry.queued {
            entry.queued = true;
            self.queue.push_back(index);
        }
    }

    /// Runs until nothing moves any more.
    pub(crate) fn drive(&mut self) {
        if self.gone {
            return;
        }
        match self.discipline {
            Discipline::Woken => {
                while let Some(index) = self.queue.pop_front() {
                    self.entries[index].queued = false;
                    self.turn(index);
                }
            }
            Discipline::All => loop {
                self.moved = false;
                for index in self.queue.clone() {
                    self.turn(index);
                }
                if !self.moved {
                    break;
                }
            },
        }
    }

    fn turn(&mut self, index: usize) {
        let entry = &mut self.entries[index];
        if entry.end.is_some() {
            return;
        }
        if entry.aborted {
            return self.finish(index, End::Cancelled);
        }
        entry.polls += 1;
        entry.wakers += usize::from(entry.polls == 1);
        while let Some(step) = self.program.tasks[index].steps.get(self.entries[index].at) {
            let entry = &mut self.entries[index];
            match *step {
                Step::Do(action) => {
                    entry.at += 1;
                    self.moved = true;
                    self.perform(action);
                }
                Step::Await(gate) if self.open[gate % GATES] => entry.at += 1,
                Step::Await(gate) => {
                    let waiting = &mut self.waiting[gate % GATES];
                    if !waiting.contains(&index) {
                        waiting.push(index);
                    }
                    return;
                }
                Step::Yield if entry.yielded => {
                    entry.yielded = false;
                    entry.at += 1;
                }
                Step::Yield => {
                    entry.yielded = true;
                    self.moved = true;
                    return self.wake(index);
                }
                Step::Panic => return self.finish(index, End::Panicked),
            }
        }
        self.finish(index, End::Value);
    }

    /// Drops the future, and then reports the end.
    fn finish(&mut self, index: usize, end: End) {
        self.moved = true;
        let end = match self.program.tasks[index].on_drop {
            OnDrop::Nothing => end,
            OnDrop::Do(action) => {
                self.perform(action);
                end
            }
            OnDrop::Panic => End::Panicked,
        };
        let entry = &mut self.entries[index];
        entry.end = Some(end);
        entry.joiner = entry.joiner.map(|_| true);
    }

    /// Polls a handle that exists, and returns what it yields, if anything.
    pub(crate) fn poll_handle(&mut self, index: usize) -> Option<End> {
        let entry = &mut self.entries[index];
        match entry.end {
            Some(_) => entry.handle = Handle::Gone,
            None => entry.joiner = Some(false),
        }
        entry.end
    }

    pub(crate) fn drop_executor(&mut self) {
        if std::mem::replace(&mut self.gone, true) {
            return;
        }
        // The order in which an executor drops its tasks is not specified. What their drops do to one another's handles
        // and wakers depends on it; that all are cancelled does not.
        for index in 0..self.entries.len() {
            if self.entries[index].spawned && self.entries[index].end.is_none() {
                self.finish(index, End::Cancelled);
            }
        }
    }
}
