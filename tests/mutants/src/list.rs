//! The faults.

/// One fault, as a change of the sources.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    /// What goes wrong with it.
    pub(crate) fault: &'static str,
    /// The changed file, below `crates`.
    pub(crate) file: &'static str,
    /// What is replaced by what. Each left side stands in the file once.
    pub(crate) changes: &'static [(&'static str, &'static str)],
    /// Why nothing can notice it, if nothing can.
    pub(crate) equivalent: Option<&'static str>,
}

impl Mutant {
    /// The strategies whose models and suites can notice it, by folder.
    pub(crate) fn strategies(&self) -> Vec<&'static str> {
        match self.file.split_once('/') {
            // What the strategies share: some that use it.
            Some(("executor", file)) => match file.rsplit('/').next() {
                Some("root_waker.rs") => vec!["arc-waker", "raw-waker"],
                Some("spare_memory.rs") => vec!["raw-waker", "biased-waker"],
                Some("joinable.rs") => vec!["park-waker", "arc-waker"],
                _ => vec!["park-waker", "arc-waker", "raw-waker", "biased-waker"],
            },
            Some((strategy, _)) => vec![strategy],
            None => vec![],
        }
    }
}

macro_rules! mutants {
    ($($file:literal: { $($name:literal: $fault:literal, $($right:literal => $wrong:literal),+ $(; equivalent: $why:literal)?.)+ })+) => {
        /// All of them, by file.
        pub(crate) const MUTANTS: &[Mutant] = &[$($(Mutant {
            name: $name,
            fault: $fault,
            file: $file,
            changes: &[$(($right, $wrong)),+],
            equivalent: mutants!(@why $($why)?),
        }),+),+];
    };
    (@why) => { None };
    (@why $why:literal) => { Some($why) };
}

mutants! {
    "raw-waker/src/task.rs": {
        "raw-clone-uncounted": "a cloned waker has no reference of its own",
            "let before = self.state.fetch_add(REFERENCE, Relaxed);" => "let before = self.state.load(Relaxed);".
        "raw-drop-relaxed": "a reference is given back without an order",
            "self.state.load(Acquire) / REFERENCE == 1 || self.state.fetch_sub(REFERENCE, AcqRel) / REFERENCE == 1"
            => "self.state.load(Relaxed) / REFERENCE == 1 || self.state.fetch_sub(REFERENCE, Relaxed) / REFERENCE == 1".
        "raw-drop-without-acquire": "the thread that frees the task does not see what the others did",
            "self.state.fetch_sub(REFERENCE, AcqRel) / REFERENCE == 1" => "self.state.fetch_sub(REFERENCE, Release) / REFERENCE == 1".
        "raw-drop-without-release": "a thread that gives a reference back does not publish what it did",
            "self.state.fetch_sub(REFERENCE, AcqRel) / REFERENCE == 1" => "self.state.fetch_sub(REFERENCE, Acquire) / REFERENCE == 1".
        "raw-last-look-relaxed": "the last owner looks at the count without an order",
            "self.state.load(Acquire) / REFERENCE == 1" => "self.state.load(Relaxed) / REFERENCE == 1".
        "raw-queued-wake-looks": "a wake of a queued task looks and does not write",
            "_ if state & QUEUED != 0 => Some(state)," => "_ if state & QUEUED != 0 => None,".
        "raw-wake-uncounted": "the queue gets a task without a reference",
            "_ => Some((state | QUEUED) + REFERENCE)," => "_ => Some(state | QUEUED),".
        "raw-wake-leaks": "a wake by value of a queued task keeps its reference",
            "_ if state & QUEUED != 0 => Some(state - REFERENCE)," => "_ if state & QUEUED != 0 => Some(state + 0),".
        "raw-wake-relaxed": "a wake by reference publishes nothing",
            "let before = self.state.fetch_update(AcqRel, Acquire, |state| match state {
            _ if state & ENDED != 0 => None,
            _ if state & QUEUED != 0 => Some(state),"
            => "let before = self.state.fetch_update(Relaxed, Relaxed, |state| match state {
            _ if state & ENDED != 0 => None,
            _ if state & QUEUED != 0 => Some(state),".
        "raw-poll-relaxed": "a poll sees nothing of what the wakes published",
            "task.state.fetch_sub(QUEUED + REFERENCE, AcqRel)" => "task.state.fetch_sub(QUEUED + REFERENCE, Release)".
        "raw-cleared-late": "the task counts as queued until its poll is over",
            "let before = task.state.fetch_sub(QUEUED + REFERENCE, AcqRel);" => "let before = task.state.fetch_sub(REFERENCE, AcqRel);",
            "let poll = unsafe { (task.vtable.poll)(task.header, &mut Context::from_waker(&waker)) };"
            => "let poll = unsafe { (task.vtable.poll)(task.header, &mut Context::from_waker(&waker)) };
        task.state.fetch_and(!QUEUED, AcqRel);".
        "raw-wakes-relaxed-locally": "a wake by value on the driving thread orders nothing",
            "        // AcqRel: as in `wake_by_ref`.\n        let before = self.state.fetch_update(AcqRel, Acquire," => "        let before = self.state.fetch_update(Relaxed, Relaxed,"
            ; equivalent: "the poll comes later on the same thread, or on one that the right to drive was handed to; and the task, which is queued, has a reference that this thread gives back, or hands over with the right".
        "raw-abort-inline": "the thread that aborts drops the future",
            "            _ if state & ENDED != 0 => None,
            _ if state & QUEUED != 0 => Some(state | ABORTED),
            _ => Some((state | ABORTED | QUEUED) + REFERENCE),
        });
        if before.is_ok_and(|before| before & QUEUED == 0) {
            // The reference that was just added.
            self.shared.push(TaskRef { header: self.header });"
            => "            _ if state & (ENDED | ABORTED) != 0 => None,
            _ => Some(state | ABORTED),
        });
        if before.is_ok() {
            self.cancel();".
        "raw-abort-unqueued": "an aborted task is not queued for its last poll",
            "            _ if state & QUEUED != 0 => Some(state | ABORTED),
            _ => Some((state | ABORTED | QUEUED) + REFERENCE),
        });
        if before.is_ok_and(|before| before & QUEUED == 0) {"
            => "            _ => Some(state | ABORTED),
        });
        if before.is_ok_and(|_| false) {".
        "raw-abort-ignored": "an aborted task is polled",
            "if before & ABORTED != 0 {" => "if before & ABORTED != 0 && before & QUEUED == 0 {".
        "raw-end-relaxed": "the end of a task publishes no result",
            "let before = self.state.fetch_or(ENDED, AcqRel);" => "let before = self.state.fetch_or(ENDED, Relaxed);".
        "raw-end-forgets-joiner": "a task that ends wakes no joiner",
            "} else if before & JOINER != 0 {" => "} else if before & JOINER != 0 && before & QUEUED != 0 {".
    }
    "raw-waker/src/joiner.rs": {
        "raw-joiner-set-blindly": "a join waker is handed over although the task has ended",
            "self.change(|state| state | JOINER)" => "self.state.fetch_or(JOINER, AcqRel);
        true".
        "raw-joiner-given-up-first": "a join waker is taken back before the next one is cloned",
            "        let mut fresh = Some(waker.clone());\n" => "",
            "            discard(fresh);
            return false;
        }\n" => "            return false;
        }
        let mut fresh = Some(waker.clone());\n".
        "raw-joiner-not-taken-back": "a join waker is replaced while it belongs to the driver",
            "if self.state.load(Relaxed) & JOINER != 0 && !self.change(|state| state & !JOINER) {"
            => "if self.state.load(Relaxed) & ENDED != 0 && !self.change(|state| state & !JOINER) {".
        "raw-handle-dropped-blindly": "a handle is dropped without a look whether there is a result to drop",
            "self.change(|state| state & !(HANDLE | JOINER))"
            => "self.state.fetch_and(!(HANDLE | JOINER), AcqRel);
        true".
        "raw-finished-relaxed": "a handle sees that its task has ended, and orders nothing",
            "self.state.load(Acquire) & ENDED != 0" => "self.state.load(Relaxed) & ENDED != 0".
        "raw-joiner-left": "a joiner stays behind where the end came while it was replaced",
            "if self.state.load(Relaxed) & JOINER != 0 {
            return None;"
            => "if self.state.load(Relaxed) & (JOINER | ENDED) != 0 {
            return None;".
        "raw-change-relaxed": "a handle's change publishes nothing",
            "let changed = self.state.fetch_update(AcqRel, Acquire," => "let changed = self.state.fetch_update(Relaxed, Relaxed,".
    }
    "raw-waker/src/waker.rs": {
        "raw-wake-drops-first": "a wake by value gives its reference back and then uses the task",
            "    let task = unsafe { from_raw(data) };
    task.wake();"
            => "    drop(unsafe { from_raw(data) });
    let task = unsafe { borrow_raw(data) };
    task.wake_by_ref();".
    }
    "raw-waker/src/queue.rs": {
        "raw-closed-when-queued": "a spawner takes an executor with remote work for one that is gone",
            "self.top.load(Relaxed) == CLOSED" => "!self.top.load(Relaxed).is_null()".
        "raw-no-closed-flag": "the queue of an executor that is gone still takes tasks",
            "let top = self.top.swap(CLOSED, Acquire);" => "let top = self.top.swap(ptr::null_mut(), Acquire);".
        "raw-push-relaxed": "a task is pushed without its link",
            "task.as_ptr().as_ptr(), Release, Relaxed)" => "task.as_ptr().as_ptr(), Relaxed, Relaxed)".
        "raw-take-relaxed": "tasks are taken without their links",
            "let top = self.top.swap(ptr::null_mut(), Acquire);" => "let top = self.top.swap(ptr::null_mut(), Relaxed);".
        "raw-take-in-two-steps": "tasks that are pushed while others are taken are lost",
            "let top = self.top.swap(ptr::null_mut(), Acquire);"
            => "let top = self.top.load(Acquire);
            self.top.store(ptr::null_mut(), Release);".
        "raw-push-in-two-steps": "of two pushes at once, one is lost",
            "match self.top.compare_exchange_weak(top, task.as_ptr().as_ptr(), Release, Relaxed) {"
            => "self.top.store(task.as_ptr().as_ptr(), Release);
            match Ok::<_, *mut Header>(()) {".
        "raw-newest-first": "of the tasks that other threads made ready the last is polled first",
            "task.next_ready.replace(first);" => "task.next_ready.get();",
            "        if let (Some(first), Some(last)) = (first, last) {" => "        if let (Some(last), Some(first)) = (first, last) {".
        "raw-push-silent": "a push onto an empty queue does not say so, and nobody unparks the driver",
            "return Ok(top.is_null());" => "return Ok(false);".
    }
    "raw-waker/src/executor.rs": {
        "raw-overtakes-itself": "a thread that takes over polls what it wakes now before what it woke while it followed",
            "            if entered.drives() && self.has_work() {
                self.poll_ready();
            }
" => "",
            "            let ready = ||" => "            if entered.drives() && self.has_work() {
                self.poll_ready();
                continue;
            }
            let ready = ||".
        "raw-unwinds-with-the-right": "a first poll that panics keeps the right to drive",
            "        Self::unwind(self.shared, self.call);" => "        let _ = Self::unwind;".
        "raw-drops-under-a-poll": "an executor that is dropped during a poll ends the task",
            "        if !self.driver.close() {" => "        if !self.driver.close() && false {".
        "raw-close-late": "the queue is closed after the tasks are ended",
            "        self.remote.close(queue, all);
        while let Some(task) = all.first() {
            // SAFETY: it is the list's first.
            let task = unsafe { all.remove(task) };
            task.cancel();
        }"
            => "        while let Some(task) = all.first() {
            // SAFETY: it is the list's first.
            let task = unsafe { all.remove(task) };
            task.cancel();
        }
        self.remote.close(queue, all);".
        "raw-parks-beside-work": "the driver looks at its own queue only before it parks",
            "local.queue.len() > 0 || !remote.is_empty() ||" => "local.queue.len() > 0 || (local.queue.len() > 1 && !remote.is_empty()) ||".
    }
    "raw-waker/src/owner.rs": {
        "raw-early-before-its-work": "a thread that comes to drive in a first poll polls what it makes ready now before what it made ready then",
            "        remote.take(&local.queue, &local.all);\n" => "        let _ = remote;\n".
    }
    "biased-waker/src/count.rs": {
        "biased-add-uncounted": "a reference that is added remotely is not counted",
            "self.remote.fetch_add(ONE, Relaxed)" => "self.remote.load(Relaxed)".
        "biased-add-by-owner-uncounted": "a reference that is added by the owner is not counted",
            "            self.set_local(self.local().wrapping_add(ONE));\n" => "".
        "biased-owner-forgets-the-merge": "the owner counts in its own word after the merge",
            "let counts_here = is_owner && self.local() & MERGED == 0;" => "let counts_here = is_owner && self.local() != 0;".
        "biased-owner-is-anybody": "every thread counts in the owner's word",
            "let counts_here = is_owner && self.local() & MERGED == 0;"
            => "let counts_here = (is_owner || self.local() != 0) && self.local() & MERGED == 0;".
        "biased-drop-relaxed": "a reference is given back without an order",
            "is_last(self.remote.load(Acquire)) || is_last(self.remote.fetch_sub(ONE, AcqRel))"
            => "is_last(self.remote.load(Relaxed)) || is_last(self.remote.fetch_sub(ONE, Relaxed))".
        "biased-drop-without-acquire": "the thread that frees the task does not see what the others did",
            "is_last(self.remote.fetch_sub(ONE, AcqRel))" => "is_last(self.remote.fetch_sub(ONE, Release))".
        "biased-drop-without-release": "a thread that gives a reference back does not publish what it did",
            "is_last(self.remote.fetch_sub(ONE, AcqRel))" => "is_last(self.remote.fetch_sub(ONE, Acquire))".
        "biased-last-look-relaxed": "the last owner looks at the count without an order",
            "is_last(self.remote.load(Acquire))" => "is_last(self.remote.load(Relaxed))".
        "biased-last-before-the-merge": "the count of the others alone decides, before it is the whole",
            "remote & MERGED != 0 && references(remote) == ONE" => "references(remote) == ONE".
        "biased-sole-relaxed": "the owner frees without seeing what the others did",
            "references(self.remote.load(Acquire)." => "references(self.remote.load(Relaxed).".
        "biased-sole-by-local": "the owner takes its own count for all of it",
            "references(self.remote.load(Acquire).wrapping_add(references(self.local()))) == 0" => "references(self.local()) == 0".
        "biased-merged-twice": "the owner's count is added twice",
            "self.remote.fetch_add(references(local).wrapping_add(MERGED), AcqRel);"
            => "self.remote.fetch_add(references(local).wrapping_mul(2).wrapping_add(MERGED), AcqRel);".
        "biased-merged-in-two-steps": "what others count during the merge is lost",
            "let before = self.remote.fetch_add(references(local).wrapping_add(MERGED), AcqRel);"
            => "let before = self.remote.load(Acquire);
        self.remote.store(before.wrapping_add(references(local)).wrapping_add(MERGED), Release);".
        "biased-merged-late": "the owner notes the merge when the object may be gone",
            "        self.set_local(local | MERGED);\n" => "",
            "        references(before).wrapping_add(references(local)) == 0\n    }"
            => "        self.set_local(local | MERGED);\n        references(before).wrapping_add(references(local)) == 0\n    }".
        "biased-merge-relaxed": "the merge orders nothing",
            "wrapping_add(MERGED), AcqRel)" => "wrapping_add(MERGED), Relaxed)".
    }
    "biased-waker/src/task.rs": {
        "biased-queued-wake-looks": "a remote wake of a queued task looks and does not write",
            "_ if remote & QUEUED != 0 => Some(remote | reason)," => "_ if remote & QUEUED != 0 && reason == 0 => None,
            _ if remote & QUEUED != 0 => Some(remote | reason),".
        "biased-wake-uncounted": "the stack gets a task without a reference",
            "_ => Some((remote | QUEUED | reason).wrapping_add(ONE))," => "_ => Some(remote | QUEUED | reason),".
        "biased-wake-relaxed": "a remote wake publishes nothing",
            "let before = task.count.remote().fetch_update(AcqRel, Acquire," => "let before = task.count.remote().fetch_update(Relaxed, Relaxed,".
        "biased-clear-queued-relaxed": "a poll sees nothing of what the wakes published",
            "fetch_sub(QUEUED + ONE, AcqRel)" => "fetch_sub(QUEUED + ONE, Release)".
        "biased-queued-uncleared": "a task that was queued remotely stays so",
            "let remote = if local & QUEUED_REMOTELY != 0 { self.clear_queued() } else { self.count.remote().load(Acquire) };"
            => "let remote = self.count.remote().load(Acquire);".
        "biased-abort-unseen": "the drop of an aborted future does not see what came before the abort",
            "self.clear_queued() } else { self.count.remote().load(Acquire) };" => "self.clear_queued() } else { self.count.remote().load(Relaxed) };".
        "biased-abort-overlooked": "the poll of a task that is about to be pushed does not look whether it was aborted",
            "let remote = if local & QUEUED_REMOTELY != 0 { self.clear_queued() } else { self.count.remote().load(Acquire) };"
            => "let remote = if local & QUEUED_REMOTELY != 0 { self.clear_queued() } else { 0 };".
        "biased-cleared-late": "the task counts as queued until its poll is over",
            "        self.next_ready.set(None);
        // SAFETY: the thread that drives has the right to `stage`, and the task has not ended.
        match unsafe { (self.vtable.poll)(self.header, &mut Context::from_waker(waker)) } {"
            => "        let poll = unsafe { (self.vtable.poll)(self.header, &mut Context::from_waker(waker)) };
        self.next_ready.set(None);
        match poll {".
        "biased-abort-unnoted": "an abort by the owner is no more than a wake",
            "self.count.remote().fetch_or(ABORTED, Relaxed);" => "let _ = self.count.remote();".
        "biased-abort-in-two-steps": "an abort by the owner overwrites what other threads do to the word at the same time",
            "self.count.remote().fetch_or(ABORTED, Relaxed);" => "let remote = self.count.remote().load(Relaxed);\n                self.count.remote().store(remote | ABORTED, Relaxed);".
        "biased-abort-ignored": "an aborted task is polled",
            "(remote & ABORTED != 0).then(|| {" => "(remote & ABORTED != 0 && local & DETACHED != 0).then(|| {".
        "biased-end-relaxed": "the end of a task publishes no result",
            "fetch_or(ENDED, AcqRel)" => "fetch_or(ENDED, Relaxed)".
        "biased-end-forgets-joiner": "a task that ends wakes no joiner",
            "} else if remote & BORROWED == 0 {" => "} else if remote & BORROWED == 0 && remote & ABORTED != 0 {".
        "biased-end-takes-what-is-borrowed": "a task that ends takes the joiner while the handle changes it",
            "} else if remote & BORROWED == 0 {" => "} else {".
        "biased-end-in-queue-uncounted": "a task that ends in the queue is freed there",
            "Some(_) => local = local.wrapping_add(ONE)," => "Some(_) => {}".
        "biased-ended-woken": "a wake puts a task that has ended into the queue",
            "            None => self.next_ready.set(Some(self)),\n        }" => "            None => {}\n        }".
        "biased-counted-late": "the thread that reclaims a task takes the task's count of the `Arc` when the task may be gone",
            "        unsafe { Arc::increment_strong_count(self.shared.as_ptr()) };\n" => "",
            "        if self.count.merge() {" => "        let shared = self.shared;\n        let last = self.count.merge();\n        unsafe { Arc::increment_strong_count(shared.as_ptr()) };\n        if last {".
    }
    "biased-waker/src/joiner.rs": {
        "biased-joiner-left": "a joiner stays behind where the end came while it was borrowed",
            "if remote & BORROWED == 0 && (remote & ENDED != 0 || self.local().is_none()) {"
            => "if remote & ENDED != 0 || (remote & BORROWED == 0 && self.local().is_none()) {".
        "biased-takes-joiner-relaxed": "a handle takes its joiner without seeing what the end left of it",
            "let remote = self.count.remote().load(Acquire);" => "let remote = self.count.remote().load(Relaxed);"
            ; equivalent: "each caller has acquired the end before, or is the owner".
        "biased-change-blindly": "the handle changes its flags although the task has ended",
            "let changed = self.count.remote().fetch_update(AcqRel, Acquire, |remote| match remote {
            _ if remote & ENDED != 0 => None,
            _ => Some(change(remote)),
        });"
            => "let changed = self.count.remote().fetch_update(AcqRel, Acquire, |remote| Some(change(remote)));".
        "biased-joiner-not-borrowed": "the joiner is changed remotely without being borrowed",
            "if !self.change(|remote| remote | BORROWED) {" => "if !self.change(|remote| remote | 0) {".
        "biased-joiner-kept": "the joiner is borrowed and not given back",
            "let pending = self.change(|remote| remote & !BORROWED);" => "let pending = self.change(|remote| remote | BORROWED);".
        "biased-detached-blindly": "a handle is dropped by the owner and leaves the result of a task that has ended",
            "        local & ENDED == 0\n    }" => "        local & ENDED == 0 || local & DETACHED == 0\n    }".
        "biased-finished-relaxed": "a handle sees that its task has ended, and orders nothing",
            "self.count.remote().load(Acquire) & ENDED != 0" => "self.count.remote().load(Relaxed) & ENDED != 0".
        "biased-registers-as-if-owner": "a remote handle takes the path that is for the owner",
            "if self.local().is_none() {
            return self.register_remotely(waker);
        }"
            => "if self.local().is_none() && self.count.local() & DETACHED != 0 {
            return self.register_remotely(waker);
        }".
    }
    "biased-waker/src/queue.rs": {
        "biased-closed-when-queued": "a spawner takes an executor with remote work for one that is gone",
            "self.top.load(Relaxed) == CLOSED" => "!self.top.load(Relaxed).is_null()".
        "biased-no-closed-flag": "the stack of an executor that is gone still takes tasks",
            "let top = self.top.swap(CLOSED, Acquire);" => "let top = self.top.swap(ptr::null_mut(), Acquire);".
        "biased-push-relaxed": "a task is pushed without its link",
            "task.as_ptr().as_ptr(), Release, Relaxed)" => "task.as_ptr().as_ptr(), Relaxed, Relaxed)".
        "biased-take-relaxed": "tasks are taken without their links",
            "let top = self.top.swap(ptr::null_mut(), Acquire);" => "let top = self.top.swap(ptr::null_mut(), Relaxed);".
        "biased-received-unlisted": "a new task that is in the ready queue already is not put into the list",
            "if task.is_new() {" => "if task.next_ready.get().is_none() && task.is_new() {".
        "biased-newest-first": "of the tasks that other threads made ready the last is polled first",
            "                    task.next_ready.set(first.or(Some(task)));
                    first = Some(task);
                    last = last.or(first);"
            => "                    task.next_ready.set(Some(task));
                    last.iter().for_each(|last: &LocalTask| last.next_ready.set(Some(task)));
                    first = first.or(Some(task));
                    last = Some(task);".
        "biased-only-the-last": "the last of several ready tasks is taken for the only one",
            "self.last.get() == Some(task) && self.first.get() == Some(task)" => "self.last.get() == Some(task)".
        "biased-only-the-first": "the first of several ready tasks is taken for the only one",
            "self.last.get() == Some(task) && self.first.get() == Some(task)" => "self.first.get() == Some(task)".
        "biased-push-silent": "a push onto an empty stack does not say so, and nobody unparks the driver",
            "return Ok(top.is_null());" => "return Ok(false);".
    }
    "biased-waker/src/executor.rs": {
        "biased-drops-under-a-poll": "an executor that is dropped during a poll ends the task",
            "        if !this.driver.close() {" => "        if !this.driver.close() && false {".
        "biased-unwinds-with-the-right": "a first poll that panics keeps the right to drive",
            "        Self::unwind(self.shared, self.call);" => "        let _ = Self::unwind;".
        "biased-reclaims-idle": "a driver that always has something to do does not reclaim the tasks that have ended",
            "                self.local.reclaim();\n" => "".
        "biased-rest-forgotten": "after a panic the tasks that were taken out of the queue are forgotten",
            "            task.fail(JoinError::panicked(payload));\n" => "            task.fail(JoinError::panicked(payload));\n            round = Round::new();\n".
        "biased-close-late": "the stack is closed after the tasks are ended",
            "        remote.close(local);
        while let Some(task) = local.all.first() {
            task.fail(JoinError::Cancelled);
            local.retire(task, count);
        }
"
            => "        while let Some(task) = local.all.first() {
            task.fail(JoinError::Cancelled);
            local.retire(task, count);
        }
        remote.close(local);
".
        "biased-parks-beside-work": "the driver looks at its own queue only before it parks",
            "!local.queue.is_empty() || !remote.is_empty() ||" => "!local.queue.is_empty() ||".
    }
    "biased-waker/src/round.rs": {
        "biased-alone-forever": "a task that is alone and wakes itself lets nothing else be polled",
            "self.next.is_some() || self.left == 0 || !local" => "self.next.is_some() || !local".
    }
    "biased-waker/src/owner.rs": {
        "biased-owner-anywhere": "the right to drive moves on and the thread that had it still takes the tasks for its own",
            "            OWNED.with(|owned| owned.set(ptr::null()));\n" => "".
        "biased-reclaim-late": "a thread that stops driving does not reclaim the tasks that have ended",
            "            self.shared.reclaim();
            OWNED.with(|owned| owned.set(ptr::null()));"
            => "            OWNED.with(|owned| owned.set(ptr::null()));".
        "biased-overtakes-itself": "a thread that takes over polls what it wakes now before what it woke while it followed",
            "        remote.take(local);\n    }\n" => "        let _ = remote;\n    }\n".
        "biased-outer-forgotten": "after a nested call the thread does not take the outer one's tasks for its own",
            "            local.outer.set(Some(unsafe { Arc::from_raw(outer) }));" => "            drop(unsafe { Arc::from_raw(outer) });"
            ; equivalent: "they take the remote path from then on, which costs more and does the same".
        "biased-sleeps-on-what-ended": "the tasks that have ended are kept while the driver sleeps",
            "        self.shared.reclaim();\n        self.entered.park_unless(ready);" => "        self.entered.park_unless(ready);".
    }
    "biased-waker/src/root.rs": {
        "biased-root-owner-anywhere": "every thread takes itself for the owner of every root",
            "thread_id::current() == self.owner" => "self.owner != thread_id::current().wrapping_sub(self.owner)".
        "biased-root-wake-silent": "a wake from another thread does not unpark the root's",
            "            self.thread.unpark();\n" => "            let _ = &self.thread;\n".
        "biased-root-stays-woken": "a wake by the owner in the last poll of a `block_on` is taken for one in the next",
            "        renewed.root().woken_locally.set(false);\n" => "".
        "biased-root-stays-woken-remotely": "a remote wake in the last poll of a `block_on` is taken for one in the next",
            "        renewed.root().woken_remotely.store(false, Relaxed);\n" => "".
        "biased-root-shared": "a `block_on` uses the root of the last one, of which a waker still exists",
            "self.root().count.is_sole().then_some(self)?" => "(self.root().owner != 0).then_some(self)?".
    }
    "arc-waker/src/waker.rs": {
        "arc-queued-wake-looks": "a wake of a queued task looks and does not write",
            "if !self.queued.swap(true, AcqRel) {" => "if !self.queued.load(Acquire) && !self.queued.swap(true, AcqRel) {".
        "arc-wake-in-two-steps": "two wakes at once queue a task twice",
            "if !self.queued.swap(true, AcqRel) {" => "if !self.queued.load(Acquire) {
            self.queued.store(true, Release);".
        "arc-wake-releases": "a wake does not see where the task is listed",
            "if !self.queued.swap(true, AcqRel) {" => "if !self.queued.swap(true, Release) {".
    }
    "arc-waker/src/task.rs": {
        "arc-cleared-late": "the task counts as queued until its poll is over",
            "        self.task.queued.swap(false, AcqRel);
        self.future.as_mut().poll(&mut Context::from_waker(&self.waker))"
            => "        let poll = self.future.as_mut().poll(&mut Context::from_waker(&self.waker));
        self.task.queued.swap(false, AcqRel);
        poll".
        "arc-cleared-by-store": "the flag is cleared without seeing what the wakes published",
            "self.task.queued.swap(false, AcqRel);" => "self.task.queued.store(false, Release);".
        "arc-poll-relaxed": "a poll sees nothing of what the wakes published",
            "self.task.queued.swap(false, AcqRel);" => "self.task.queued.swap(false, Relaxed);".
        "arc-ends-woken-by-all": "a wake after the end queues what may be the place of another task",
            "self.task.queued.swap(true, Relaxed)" => "self.task.queued.load(Relaxed)".
        "arc-ends-unseen": "a task that was woken in its last poll leaves its place, and its key in the queue",
            "self.task.queued.swap(true, Relaxed)" => "self.task.queued.swap(true, Relaxed) && false".
    }
    "arc-waker/src/queue.rs": {
        "arc-at-home-anywhere": "a wake goes into the queue of whatever executor the thread drives",
            "while queue.executor != executor {
                queue" => "while queue.executor != executor && false {
                queue".
        "arc-forgets-the-outer": "a nested call takes the queue of the outer one with it",
            "*place = queue.outer.take();" => "drop(queue.outer.take());".
        "arc-new-first": "new tasks stand before those that were woken",
            "self.keys.push_back(SPAWNED);" => "self.keys.push_front(SPAWNED);".
    }
    "arc-waker/src/executor.rs": {
        "arc-drops-under-a-poll": "an executor that is dropped beside a poll waits for the task",
            "        if !self.driver.close() {" => "        if !self.driver.close() && false {".
        "arc-drop-under-lock": "futures are dropped while what is spawned is locked",
            "let new_tasks = self.new_tasks().close();" => "let mut locked = self.new_tasks();\n        let new_tasks = locked.close();".
        "arc-closes-nothing": "dropping the executor ends no task",
            "self.local().close();" => "Local::new(unbounded().1);".
        "arc-stays": "a call that drives early and is ready keeps the right to drive",
            "            drop(Owner::new(shared));" => "            std::mem::forget(_entered);".
        "arc-unwinds-with-the-right": "a first poll that panics keeps the right to drive",
            "        Self::unwind(self.shared, self.call);" => "        let _ = Self::unwind;".
        "arc-receives-nothing": "what other threads send is not looked for",
            "self.receive(local).max(MIN_ROUND)" => "self.queue(|queue| queue.len()).unwrap_or(0).max(MIN_ROUND)".
        "arc-drives-unsettled": "who takes over looks at a queue that it does not have",
            "owner.as_ref().is_none_or(|owner" => "owner.as_ref().is_some_and(|owner".
    }
    "arc-waker/src/schedule.rs": {
        "arc-no-closed-flag": "an executor that is gone still takes tasks",
            "if new_tasks.closed {" => "if new_tasks.closed && new_tasks.queue.capacity() > usize::MAX / 2 {".
        "arc-sends-first": "a thread sends that it has spawned before it has",
            "        new_tasks.queue.push_back(spawned);
        drop(new_tasks);
        self.send(SPAWNED);"
            => "        drop(new_tasks);
        self.send(SPAWNED);
        self.new_tasks().queue.push_back(spawned);".
        "arc-push-silent": "nobody unparks the driver",
            "            self.driver.unpark();\n" => "".
    }
    "arc-waker/src/owner.rs": {
        "arc-keeps-the-place": "the place of a task that has ended is never free again",
            "if !task.is_some_and(Running::complete) {" => "if task.is_some_and(Running::complete) {".
        "arc-frees-the-place": "the place of a task that has ended is free while its key is on the way",
            "if !task.is_some_and(Running::complete) {" => "if !task.is_some_and(Running::complete) || true {".
        "arc-takes-the-queue-along": "what was ready is gone when the thread stops to drive",
            "        self.local.queue = LocalQueue::unsettle(self.shared.address());"
            => "        LocalQueue::unsettle(self.shared.address());
        self.local.queue = Some(Box::default());".
        "arc-early-beside": "a call drives early although another thread drives",
            "        let drives = self.driver.drive_early();" => "        let drives = self.driver.drive_early() || !self.driver.drives_here();".
    }
    "noop-waker/src/executor.rs": {
        "noop-shares-a-context": "one context for all tasks of a round: what one of them does to it, the others see",
            "        self.tasks.retain_mut(|task| {" => "        let mut cx = Context::from_waker(waker);\n        self.tasks.retain_mut(|task| {",
            "task.poll(&mut Context::from_waker(waker))" => "task.poll(&mut cx)".
        "noop-empty-but-for-new-ones": "no task is left, although some were spawned since the round",
            "self.tasks.is_empty() && self.shared.tasks().all.is_empty()" => "self.tasks.is_empty()".
        "noop-empty-but-for-old-ones": "no task is left, although the thread that drives has some",
            "self.tasks.is_empty() && self.shared.tasks().all.is_empty()" => "self.shared.tasks().all.is_empty()".
        "noop-keeps-tasks": "a thread that stops driving drops the tasks that it has",
            "        self.tasks.append(&mut tasks.all);\n        mem::swap(&mut self.tasks, &mut tasks.all);\n" => "        let _ = &mut tasks.all;\n".
        "noop-gives-back-late": "the right to drive is given up before the tasks are",
            "        let entered = self.driver.enter();\n        let mut driven = Driven::new(self);\n"
            => "        let mut driven = Driven::new(self);\n        let entered = self.driver.enter();\n".
        "noop-gives-back-silently": "who takes over is not told that there are tasks",
            "        self.shared.populated.store(!tasks.all.is_empty(), Relaxed);\n" => "".
        "noop-takes-over-late": "a task that is spawned while others are taken over is forgotten",
            "        let mut tasks = self.shared.tasks();\n        self.shared.populated.store(false, Relaxed);\n" => "        let mut tasks = self.shared.tasks();\n",
            "            self.tasks.append(&mut tasks.all);\n        }\n" => "            self.tasks.append(&mut tasks.all);\n        }\n        drop(tasks);\n        self.shared.populated.store(false, Relaxed);\n".
    }
    "park-waker/src/waker.rs": {
        "park-wake-looks": "a wake of a woken thread looks and does not write",
            "if !self.woken.swap(true, Release) {" => "if !self.woken.load(Relaxed) && !self.woken.swap(true, Release) {".
        "park-taken-by-store": "the flag is cleared without seeing what the wakes published",
            "self.signal.woken.swap(false, Acquire);" => "self.signal.woken.store(false, Relaxed);".
        "park-shares-a-stale-waker": "a `block_on` uses the waker of the last one, of which a clone is still about",
            "let unshared = Arc::strong_count(&self.signal) == 2;" => "let unshared = Arc::strong_count(&self.signal) > 0;".
        "park-renews-unfenced": "the wakes of clones that are gone are not ordered before the next call",
            "        fence(Acquire);\n" => "".
        "park-no-flag": "nothing but the thread's token says that there was a wake",
            "self.signal.woken.load(Relaxed)\n" => "self.signal.woken.load(Relaxed) && self.signal.thread.id() != thread::current().id()\n".
    }
    "park-waker/src/executor.rs": {
        "park-taken-late": "the wakes are forgotten after the polls that they ask for",
            "            thread.take_woken();\n" => "",
            "            let drove = entered.drives();" => "            thread.take_woken();
            let drove = entered.drives();".
        "park-changed-by-store": "a change hides an earlier one",
            "self.changed.swap(true, Release);" => "self.changed.store(true, Release);".
        "park-takes-over-silently": "who takes over does not poll the tasks once, though they know another thread",
            "(!drove || driven.has_work())" => "driven.has_work()".
        "park-newest-first": "new tasks are polled before the old ones",
            "            self.tasks.append(&mut tasks.all);\n        }\n"
            => "            tasks.all.append(&mut self.tasks);\n            mem::swap(&mut self.tasks, &mut tasks.all);\n        }\n".
        "park-gives-back-newest-first": "tasks that the thread that stops driving has not seen come before those that it has",
            "        self.tasks.append(&mut tasks.all);\n        mem::swap(&mut self.tasks, &mut tasks.all);\n" => "        tasks.all.append(&mut self.tasks);\n".
        "park-gives-back-late": "the right to drive is given up before the tasks are",
            "        let entered = self.driver.enter();\n        let mut driven = Driven::new(self);\n"
            => "        let mut driven = Driven::new(self);\n        let entered = self.driver.enter();\n".
        "park-gives-back-silently": "who takes over is not told that there are tasks",
            "        self.shared.populated.store(!tasks.all.is_empty(), Relaxed);\n" => "".
        "park-takes-over-late": "a task that is spawned while others are taken over is forgotten",
            "        let mut tasks = self.shared.tasks();\n        self.shared.populated.store(false, Relaxed);\n" => "        let mut tasks = self.shared.tasks();\n",
            "            self.tasks.append(&mut tasks.all);\n        }\n" => "            self.tasks.append(&mut tasks.all);\n        }\n        drop(tasks);\n        self.shared.populated.store(false, Relaxed);\n".
        "park-changed-relaxed": "who polls because of a change does not see it",
            "self.shared.changed.swap(false, Acquire);" => "self.shared.changed.swap(false, Relaxed);".
        "park-shares-a-context": "one context for all tasks of a round: what one of them does to it, the others see",
            "        self.tasks.retain_mut(|task| {" => "        let mut cx = Context::from_waker(waker);\n        self.tasks.retain_mut(|task| {",
            "task.poll(&mut Context::from_waker(waker))" => "task.poll(&mut cx)".
        "park-no-closed-flag": "an executor that is gone still takes tasks",
            "if tasks.closed {" => "if tasks.closed && tasks.all.capacity() > usize::MAX / 2 {".
        "park-drop-under-lock": "futures are dropped while the queue is locked",
            "let tasks = self.tasks().close();" => "let mut locked = self.tasks();\n        let tasks = locked.close();".
        "park-spawn-silent": "a spawn does not unpark the driver",
            "        drop(tasks);\n        self.wake_by_ref();" => "        drop(tasks);".
    }
    "executor/src/driver.rs": {
        "driver-looks-before-it-says-so": "the driver looks for work and then says that it parks",
            "        // (1) AcqRel: pairs with (2).
        self.driver.parked.swap(true, AcqRel);
        if !ready() {"
            => "        let ready = ready();
        self.driver.parked.swap(true, AcqRel);
        if !ready {".
        "driver-says-so-relaxed": "the driver says that it parks without seeing the work of those who looked before",
            "self.driver.parked.swap(true, AcqRel);" => "self.driver.parked.swap(true, Release);".
        "driver-says-so-unreleased": "the driver says that it parks and publishes nothing",
            "self.driver.parked.swap(true, AcqRel);" => "self.driver.parked.swap(true, Acquire);"
            ; equivalent: "who brings work reads nothing of the driver's but `threads`, under its lock".
        "driver-unpark-unacquired": "who brings work sees nothing of what the driver did before it parked",
            "if self.parked.swap(false, AcqRel) {" => "if self.parked.swap(false, Release) {"
            ; equivalent: "it reads nothing of the driver's but `threads`, under its lock".
        "driver-unpark-looks": "who brings work looks whether the driver is parked and does not write",
            "if self.parked.swap(false, AcqRel) {" => "if self.parked.load(Acquire) {".
        "driver-unpark-relaxed": "who brings work does not publish it",
            "if self.parked.swap(false, AcqRel) {" => "if self.parked.swap(false, Acquire) {".
        "driver-awake-by-store": "the driver says that it is awake over the word of one who brought work",
            "self.driver.parked.swap(false, Acquire);" => "self.driver.parked.store(false, Release);".
        "driver-awake-relaxed": "the driver says that it is awake without seeing the work that was brought until then",
            "self.driver.parked.swap(false, Acquire);" => "self.driver.parked.swap(false, Relaxed);"
            ; equivalent: "a relaxed read-modify-write goes on with the release sequence of the waker's swap, and the driver acquires that when it next says that it parks, before it looks for work again".
        "driver-leaves-followers": "the driver leaves and tells nobody",
            "                follower.unpark();\n" => "                drop(follower);\n".
        "driver-forgets-the-rest": "the driver leaves, tells one follower, and forgets that there are more",
            "            if !threads.followers.is_empty() {" => "            threads.followers.clear();\n            if false {".
        "driver-flags-no-rest": "the driver leaves and tells one follower, and the next one that leaves does not look for more",
            "            if !threads.followers.is_empty() {" => "            if false {".
        "driver-keeps-notes": "a follower that was woken by its own future's waker stays noted",
            "self.driver.threads().followers.remove(&number)" => "self.driver.threads().followers.get(&number).cloned()".
        "driver-call-unanswered": "a follower that was unparked to take over polls its own future first",
            "        if noted.is_none() {" => "        if noted.is_none() && false {".
        "driver-knows-no-followers": "a thread that waits for the right is not noted",
            "        threads.followers.insert(number, thread::current());\n" => "".
        "driver-lets-two-drive": "a second thread drives as well",
            "(driving == 0).then(thread_id::assign)" => "(driving == 0 || driving != thread_id::current()).then(thread_id::assign)".
        "driver-takes-relaxed": "who takes over does not see how the last one left the tasks",
            "        self.driving.fetch_update(Acquire, Relaxed, |driving| (driving == 0).then(thread_id::assign)).is_ok()"
            => "        self.driving.fetch_update(Relaxed, Relaxed, |driving| (driving == 0).then(thread_id::assign)).is_ok()".
        "driver-leaves-relaxed": "who leaves does not publish how",
            "self.driver.driving.store(0, Release);" => "self.driver.driving.store(0, Relaxed);".
        "driver-leaves-unasked": "who leaves looks for followers first",
            "        // Release: pairs with the Acquire in `Driver::take`.
        self.driver.driving.store(0, Release);
        // (4) AcqRel: pairs with (5) in `follow_unless`, and with (6).
        if self.driver.followed.swap(false, AcqRel) {"
            => "            let followed = self.driver.followed.swap(false, AcqRel);
            self.driver.driving.store(0, Release);
            if followed {".
        "driver-follows-once": "who follows does not look again whether the right is free",
            "if !ready() && !self.drives() {" => "if !ready() && !self.drives.get() {"
            ; equivalent: "`ready` asks again whether this thread drives, unless its own future was woken, and then it does not park".
        "driver-parks-with-the-right": "who took the right over at the last look parks all the same",
            "if !ready() && !self.drives() {" => "if !ready() {".
        "driver-follows-silently": "who follows does not say so",
            "        // (5) AcqRel: pairs with (4) in `leave`.
        self.driver.followed.swap(true, AcqRel);\n"
            => "".
        "driver-early-anywhere": "a wake or a spawn takes the right outside of a call, where nobody passes it on",
            "        if !self.is_in_first_poll() {
            return false;
        }
" => "".
        "driver-early-for-good": "a call that came to drive in its only poll keeps the right",
            "        if !self.drives_here() || self.early_call.load(Relaxed) != call {" => "        if self.drives_here() || self.early_call.load(Relaxed) != call {".
        "driver-leaves-for-another": "a first poll that ends passes on the right that another call of the thread took",
            "        if !self.drives_here() || self.early_call.load(Relaxed) != call {" => "        if !self.drives_here() || call == 0 {".
        "driver-note-left": "the note of a call that is over stays, and the next spawn takes the right for it",
            "note.driver.replace(0) == self.address()" => "note.driver.get() == self.address()".
        "driver-keeps-the-last": "who brings work unparks the thread that parked last, though another drives",
            "if self.driver.registered.load(Relaxed) != thread_id::current() {" => "if self.driver.registered.load(Relaxed) == 0 {".
    }
    "executor/src/spare_memory.rs": {
        "spare-grants-all": "memory is kept that other threads' tasks left, and that nobody takes",
            "            Some(list) if self.room.get() >= size_of::<T>() => {" => "            Some(list) => {",
            "self.room.set(self.room.get() - size_of::<T>());" => "self.room.set(self.room.get().saturating_sub(size_of::<T>()));".
        "spare-never-cleared": "an executor that is dropped keeps the memory of its tasks for its spawners",
            "            while let Some(spare) = list.get() {" => "            while let Some(spare) = list.get().filter(|_| words == SIZES) {".
        "spare-drops-nothing": "what is freed is not dropped",
            "                unsafe { ptr::drop_in_place(memory) };" => "                let _ = ptr::drop_in_place::<T>;".
    }
    "executor/src/run_waiters.rs": {
        "run-waiters-asks-before-the-lock": "a task that is spawned between question and answer is overlooked",
            "        let wakers = {
            let mut waiting = self.waiting();
            // Asked under the lock: who has spawned a task and then waits has done both before, or waits after this.
            if !is_empty() {"
            => "        let is_empty = is_empty();
        let wakers = {
            let mut waiting = self.waiting();
            if !is_empty {".
        "run-waiters-waits-silently": "who waits does not unpark the driver",
            "        self.driver.unpark();\n" => "".
        "run-waiters-wakes-nobody": "the end of the last task is told to nobody",
            "wakers.into_iter().for_each(Waker::wake);" => "drop(wakers);".
    }
    "executor/src/abort.rs": {
        "abort-handle-waits": "what an abort handle aborts gets no turn of its own",
            "            self.waker.wake_by_ref();\n" => "".
        "abort-handle-looks-by-aborting": "to ask whether a task has finished aborts it",
            "        self.task.is_finished()\n" => "        !self.task.abort() && self.task.is_finished()\n".
    }
    "executor/src/task_count.rs": {
        "count-keeps-ended": "a task that has ended is still counted",
            "        self.local.store(self.local.load(Relaxed).wrapping_sub(1), Release);\n" => "".
    }
    "raw-waker/src/abort.rs": {
        "raw-abort-handle-idle": "an abort handle aborts nothing",
            "        self.task.iter().for_each(TaskRef::abort);\n" => "".
    }
    "biased-waker/src/abort.rs": {
        "biased-abort-handle-idle": "an abort handle aborts nothing",
            "        self.task.iter().for_each(TaskRef::abort);\n" => "".
    }
    "executor/src/joinable.rs": {
        "join-complete-in-two-steps": "a join waker that is left between the two is lost",
            "        match mem::replace(&mut *state, State::Over) {
            State::Running { joiner } => {
                *state = State::Finished(result);"
            => "        match mem::replace(&mut *state, State::Running { joiner: None }) {
            State::Running { joiner } => {
                drop(state);
                let mut state = self.state();
                *state = State::Finished(result);".
        "join-wakes-under-lock": "the joiner is woken while the state is locked",
            "                drop(state);
                if let Some(waker) = joiner {
                    // A joiner's waker is foreign code: a panic in it must not reach the run loop.
                    discard_panic(|| waker.wake());
                }"
            => "                if let Some(waker) = joiner {
                    discard_panic(|| waker.wake());
                }".
        "join-replaces-under-lock": "a join waker that is replaced is dropped while the state is locked",
            "mem::swap(joiner, &mut fresh);" => "mem::swap(joiner, &mut fresh);\n                discard(fresh.take());".
        "join-leaves-under-lock": "a join waker that goes with its handle is dropped while the state is locked",
            "        drop(state);\n        // Foreign code. The thread that drops" => "        // Foreign code. The thread that drops".
        "join-reports-early": "the result is reported before the future is dropped",
            "    join.complete(drop_future_before(result, || future.set(None)));"
            => "    join.complete(result);
    discard_panic(|| future.set(None));".
        "join-drops-waker-loudly": "the panic of a join waker that is not needed costs the result",
            "        discard(fresh);\n" => "        drop(fresh);\n".
        "join-handle-drops-loudly": "what is dropped with a handle panics out of the handle's drop",
            "        discard_panic(|| drop(left));\n" => "        drop(left);\n".
        "join-keeps-first-waker": "the joiner's first waker stays",
            "mem::swap(joiner, &mut fresh);"
            => "if joiner.is_none() {\n                    mem::swap(joiner, &mut fresh);\n                }".
        "join-knows-any-waker": "a handle that has left a waker is pending whatever waker it is polled with",
            "this.joining == Joining::left(cx.waker())" => "matches!(this.joining, Joining::Left { .. })".
        "join-asks-nobody": "a handle that has left its waker does not look whether the task has ended",
            "if this.joining == Joining::left(cx.waker()) && !this.shared.has_ended() {"
            => "if this.joining == Joining::left(cx.waker()) {".
        "join-ended-late": "the joiner is woken and only then told that the task has ended",
            "        self.ended.store(true, Release);\n" => "",
            "                    discard_panic(|| waker.wake());\n                }"
            => "                    discard_panic(|| waker.wake());\n                }\n                self.ended.store(true, Release);".
        "join-ended-relaxed": "who is told that a task has ended does not see that its future is gone",
            "self.ended.store(true, Release);" => "self.ended.store(true, Relaxed);".
        "join-finished-relaxed": "who asks whether a task has ended does not see that its future is gone",
            "self.ended.load(Acquire)" => "self.ended.load(Relaxed)".
        "join-polled-stays": "a handle that was polled leaves its waker behind when it is dropped",
            "if self.joining == Joining::Taken {" => "if self.joining != Joining::Unpolled {".
    }
    "executor/src/foreign.rs": {
        "foreign-last-panic": "of two panics of a task the second is reported",
            "Err(JoinError::Panicked(_)) => (result, Err(panic))," => "Err(JoinError::Panicked(_)) => (Err(panic), result),".
        "foreign-panics-out": "the panic of foreign code leaves the function that runs it",
            "    if let Err(payload) = catch_unwind(AssertUnwindSafe(action)) {" => "    if let Err::<(), Box<dyn std::any::Any>>(payload) = Ok(action()) {".
    }
    "executor/src/root_waker.rs": {
        "root-shares-a-stale-waker": "a `block_on` uses the waker of the last one, of which a clone is still about",
            "let unshared = Arc::strong_count(&self.signal) == 2;" => "let unshared = Arc::strong_count(&self.signal) > 0;".
        "root-renews-unfenced": "the wakes of clones that are gone are not ordered before the next call",
            "        fence(Acquire);\n" => "".
        "root-stays-woken": "a wake on the driving thread in the last poll of a `block_on` is taken for one in the next",
            "        renewed.signal.woken_locally.store(false, Relaxed);\n" => "".
        "root-stays-woken-away": "a wake on another thread in the last poll of a `block_on` is taken for one in the next",
            "        renewed.signal.woken_remotely.store(false, Relaxed);\n" => "".
        "root-wake-looks": "a wake of a woken root looks and does not write",
            "} else if !self.woken_remotely.swap(true, Release) {"
            => "} else if !self.woken_remotely.load(Relaxed) && !self.woken_remotely.swap(true, Release) {".
        "root-taken-relaxed": "the root's poll sees nothing of what the wakes published",
            "self.signal.woken_remotely.swap(false, Acquire)" => "self.signal.woken_remotely.swap(false, Relaxed)".
        "root-taken-in-two-steps": "a wake between looking and clearing is lost",
            "self.signal.woken_remotely.load(Relaxed) && self.signal.woken_remotely.swap(false, Acquire)"
            => "self.signal.woken_remotely.load(Acquire) && {
            self.signal.woken_remotely.store(false, Release);
            true
        }".
        "root-woken-as-if-at-home": "a wake from another thread is done as if it were the root's own",
            "if self.owner == thread_id::current() {" => "if self.owner != 0 {".
        "root-wake-silent": "a wake from another thread does not unpark the root's",
            "            self.thread.unpark();\n" => "            let _ = &self.thread;\n".
    }
}
