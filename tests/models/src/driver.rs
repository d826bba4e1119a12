//! The right to drive, passed among three threads: on `Driver` alone, because three threads inside an executor take
//! too long.

use std::sync::Arc;

use executor::support::{Driver, Entered};
use executor::sync::Mutex;
use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::thread::{self, Thread};

use crate::explore::explore;

/// Waits for the right, and asserts that nobody else has it.
fn drive(entered: &Entered<'_>, driven: &AtomicBool) {
    while !entered.drives() {
        entered.park_unless(|| entered.drives());
    }
    assert!(!driven.swap(true, Relaxed), "two threads drive at once");
    driven.store(false, Relaxed);
}

/// One thread leaves and two wait: each of them drives, one after the other.
#[test]
fn d01_each_follower_drives_in_the_end() {
    explore("driver", "d01_each_follower_drives_in_the_end", 2, || {
        let (driver, driven) = (Arc::new(Driver::new()), Arc::new(AtomicBool::new(false)));
        let entered = driver.enter();
        assert!(entered.drives());
        let threads = [(); 2].map(|()| {
            let (driver, driven) = (driver.clone(), driven.clone());
            thread::spawn(move || drive(&driver.enter(), &driven))
        });
        drop(entered);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Two threads wait, and one of them is woken for its own future and leaves, at the moment when the right becomes
/// free: the other still drives.
#[test]
fn d02_a_follower_that_goes_takes_no_other_ones_call_along() {
    explore("driver", "d02_a_follower_that_goes_takes_no_other_ones_call_along", 2, || {
        let (driver, driven) = (Arc::new(Driver::new()), Arc::new(AtomicBool::new(false)));
        let (woken, waits) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
        let entered = driver.enter();
        assert!(entered.drives());
        let going = thread::spawn({
            let (driver, woken, waits) = (driver.clone(), woken.clone(), waits.clone());
            move || {
                *waits.lock().unwrap() = Some(thread::current());
                let entered = driver.enter();
                while !woken.load(Acquire) {
                    entered.park_unless(|| woken.load(Acquire));
                }
            }
        });
        let staying = thread::spawn({
            let (driver, driven) = (driver.clone(), driven.clone());
            move || drive(&driver.enter(), &driven)
        });
        woken.store(true, Release);
        let waits = waits.lock().unwrap().take();
        waits.iter().for_each(Thread::unpark);
        drop(entered);
        staying.join().unwrap();
        going.join().unwrap();
    });
}
