/// Random numbers that are the same in every run.
///
/// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// Equal seeds give equal numbers.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below `sides`.
    ///
    /// # Panics
    ///
    /// When `sides` is 0.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.next() % sides
    }

    /// A number from 1 to `2^powers`, each number of binary digits being equally likely: such pauses hit short windows
    /// and long ones.
    pub fn pause(&mut self, powers: u32) -> u64 {
        let power = self.below(u64::from(powers) + 1);
        1 + self.below(1 << power)
    }

    /// Independent dice, whose numbers follow from these.
    pub fn split(&mut self) -> Self {
        Self::new(self.next())
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
