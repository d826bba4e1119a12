#![expect(unsafe_code, reason = "memory outlives what was in it")]

use std::alloc::{Layout, dealloc};
use std::cell::Cell;
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

/// Memory of freed values, for the values that are allocated next. Taking it and giving it back needs neither the
/// global allocator nor an atomic operation, as all of it belongs to one thread at a time.
///
/// It never keeps more than was once allocated here because there was no spare memory, nor more than
/// [`MOST`](Self::MOST). So memory that was allocated by one executor and is freed by another does not pile up. Once
/// that much was allocated, everything that is kept is freed, as it is of sizes that are no longer asked for. Values
/// that are larger than 64 words, or not aligned like a word, go to the global allocator.
///
/// While the models run, and with the private cfg `wakers_no_spare_memory`, nothing is kept: so an access to freed
/// memory is noticed.
pub struct SpareMemory {
    /// One list for each size in words.
    lists: [Cell<Option<NonNull<Link>>>; SIZES],
    /// How many bytes were allocated here, up to [`MOST`](Self::MOST).
    granted: Cell<usize>,
    /// How many of those bytes are not kept now.
    room: Cell<usize>,
}

/// The head of each piece of spare memory.
struct Link {
    next: Option<NonNull<Link>>,
}

const SIZES: usize = 65;

/// The list for values of this type, if they are kept.
const fn list_of<T>() -> Option<usize> {
    let layout = Layout::new::<T>();
    let words = layout.size() / size_of::<usize>();
    let kept = layout.align() == align_of::<usize>() && words > 0 && words < SIZES;
    if kept && !cfg!(any(wakers_loom, wakers_no_spare_memory)) { Some(words) } else { None }
}

impl SpareMemory {
    /// How many bytes are kept at most.
    pub const MOST: usize = 256 * 1024;

    /// Keeps nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Memory for a value.
    #[inline]
    pub fn allocate<T>(&self) -> Box<MaybeUninit<T>> {
        if let Some(list) = list_of::<T>() {
            if let Some(spare) = self.lists[list].get() {
                // SAFETY: what is in a list is a link, and nobody else has it.
                let next = unsafe { spare.as_ref() }.next;
                self.lists[list].set(next);
                self.room.set(self.room.get() + size_of::<T>());
                // SAFETY: it was the memory of a box, and a list has one layout, which is that of `T`.
                return unsafe { Box::from_raw(spare.as_ptr().cast()) };
            }
            self.grant(size_of::<T>());
        }
        Box::new_uninit()
    }

    /// Counts an allocation of `size` bytes. If all that may be kept is of other sizes, this makes room for this one.
    fn grant(&self, size: usize) {
        if self.granted.get() + size > Self::MOST {
            self.clear();
            self.granted.set(0);
            self.room.set(0);
        }
        self.granted.set(self.granted.get() + size);
        self.room.set(self.room.get() + size);
    }

    /// Drops the value, and keeps or frees its memory.
    #[inline]
    pub fn free<T>(&self, value: Box<T>) {
        match list_of::<T>() {
            Some(list) if self.room.get() >= size_of::<T>() => {
                let memory = Box::into_raw(value);
                // SAFETY: the pointer comes from a box, which nobody drops any more.
                unsafe { ptr::drop_in_place(memory) };
                let spare = memory.cast::<Link>();
                // SAFETY: the value is gone, its memory is as aligned as a word and at least as large.
                unsafe { spare.write(Link { next: self.lists[list].get() }) };
                self.lists[list].set(NonNull::new(spare));
                self.room.set(self.room.get() - size_of::<T>());
            }
            _ => crate::sync::free(value),
        }
    }

    /// Frees all that is kept.
    pub fn clear(&self) {
        for (words, list) in self.lists.iter().enumerate() {
            let layout = Layout::array::<usize>(words).expect("sizes are small");
            while let Some(spare) = list.get() {
                // SAFETY: what is in a list is a link, and nobody else has it.
                list.set(unsafe { spare.as_ref() }.next);
                // SAFETY: it was the memory of a box of this layout.
                unsafe { dealloc(spare.as_ptr().cast(), layout) };
                self.room.set(self.room.get() + layout.size());
            }
        }
    }
}

impl Default for SpareMemory {
    fn default() -> Self {
        Self { lists: [const { Cell::new(None) }; SIZES], granted: Cell::new(0), room: Cell::new(0) }
    }
}

impl Drop for SpareMemory {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for SpareMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpareMemory").field("granted", &self.granted).field("room", &self.room).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(wakers_loom), not(wakers_no_spare_memory)))]
mod tests {
    use super::*;

    /// How many bytes are kept.
    fn kept(spare: &SpareMemory) -> usize {
        spare.granted.get() - spare.room.get()
    }

    #[test]
    fn memory_that_was_allocated_here_comes_back() {
        let spare = SpareMemory::new();
        let first = Box::write(spare.allocate::<[usize; 3]>(), [1, 2, 3]);
        let address = ptr::from_ref(&*first).addr();
        spare.free(first);
        assert_eq!(kept(&spare), 24);
        let other_size = spare.allocate::<[usize; 4]>();
        let second = spare.allocate::<(usize, [u32; 4])>();
        assert_eq!(ptr::from_ref(&*second).addr(), address);
        drop((second, other_size));
        assert_eq!(kept(&spare), 0);
    }

    #[test]
    fn memory_from_elsewhere_is_not_kept() {
        let spare = SpareMemory::new();
        (0..10).for_each(|_| spare.free(Box::new([0_usize; 3])));
        assert_eq!(kept(&spare), 0);
        let (first, second) = (spare.allocate::<[usize; 3]>(), spare.allocate::<[usize; 3]>());
        (0..10).for_each(|_| spare.free(Box::new([0_usize; 3])));
        assert_eq!(kept(&spare), 48, "as much as was allocated here");
        drop((first, second));
    }

    #[test]
    fn no_more_is_kept_than_the_most() {
        let spare = SpareMemory::new();
        let values: Vec<_> = (0..2_000).map(|_| Box::write(spare.allocate::<[usize; 32]>(), [0; 32])).collect();
        values.into_iter().for_each(|value| spare.free(value));
        assert!((1..=SpareMemory::MOST).contains(&kept(&spare)));
        spare.clear();
        assert_eq!(kept(&spare), 0);
    }

    #[test]
    fn what_was_kept_of_one_size_makes_room_for_another() {
        let spare = SpareMemory::new();
        let values = [(); SpareMemory::MOST / 64].map(|()| Box::write(spare.allocate::<[usize; 8]>(), [0; 8]));
        values.into_iter().for_each(|value| spare.free(value));
        assert_eq!(kept(&spare), SpareMemory::MOST);
        spare.free(Box::write(spare.allocate::<[usize; 3]>(), [0; 3]));
        assert_eq!(kept(&spare), 24, "the other size is gone");
    }

    #[test]
    fn other_sizes_and_alignments_go_to_the_allocator() {
        #[repr(align(64))]
        struct Aligned(u8);
        let spare = SpareMemory::new();
        let aligned = Box::write(spare.allocate::<Aligned>(), Aligned(7));
        assert_eq!(aligned.0, 7);
        spare.free(aligned);
        spare.free(Box::write(spare.allocate::<[usize; 65]>(), [0; 65]));
        spare.free(Box::write(spare.allocate::<u8>(), 0));
        spare.free(Box::write(spare.allocate::<()>(), ()));
        assert_eq!(kept(&spare), 0);
    }

    #[test]
    fn what_is_freed_is_dropped_once() {
        let (spare, value) = (SpareMemory::new(), std::rc::Rc::new(()));
        spare.free(Box::write(spare.allocate(), value.clone()));
        assert_eq!(std::rc::Rc::strong_count(&value), 1);
    }
}
