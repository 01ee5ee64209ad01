//! An allocator that counts: numbers that repeat exactly.
#![allow(unsafe_code, reason = "an allocator is an unsafe trait; this one passes every call on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Off while time is measured: a locked addition for each allocation would be to the favour of who allocates less.
static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static FREED: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Relaxed) {
            ALLOCATIONS.fetch_add(1, Relaxed);
            ALLOCATED.fetch_add(layout.size(), Relaxed);
        }
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if COUNTING.load(Relaxed) {
            FREED.fetch_add(layout.size(), Relaxed);
        }
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a piece of code did to the heap.
pub struct Heap {
    /// How often it allocated.
    pub allocations: usize,
    /// How many bytes were still allocated at its end.
    pub held: usize,
}

/// Whether allocations count from here on.
pub fn set(counting: bool) {
    COUNTING.store(counting, Relaxed);
}

/// How many were counted.
pub fn allocations() -> usize {
    ALLOCATIONS.load(Relaxed)
}

/// Runs `f` and counts; what `f` returns counts as held.
pub fn heap<R>(f: impl FnOnce() -> R) -> (R, Heap) {
    let read = || [&ALLOCATIONS, &ALLOCATED, &FREED].map(|counter| counter.load(Relaxed));
    let before = read();
    set(true);
    let result = f();
    set(false);
    let after = read();
    let [allocations, allocated, freed] = std::array::from_fn(|i| after[i] - before[i]);
    (result, Heap { allocations, held: allocated.saturating_sub(freed) })
}
