//! The two filters, as lifting steps (F.3.8).

/// A filter, as steps that each change every other sample of a line by its two neighbours.
pub trait Filter {
    type Sample: Copy + Default;

    /// How many steps there are: those with even numbers change samples at even positions, the others those at odd positions.
    const STEPS: usize;

    /// What a step makes of a sample and its neighbours before and after it.
    fn change(
        step: usize,
        sample: Self::Sample,
        before: Self::Sample,
        after: Self::Sample,
    ) -> Self::Sample;

    /// Copies samples of a sub-band, multiplied by K as often as `gain` says; divided, if it is negative (F.3.8.2, steps 1 and 2).
    fn load(gain: i8, from: &[Self::Sample], to: &mut [Self::Sample]);

    /// What becomes of a line of one sample, if that is at an odd position (F.3.6).
    fn halve(samples: &mut [Self::Sample]);
}

/// The filter 5-3 (F.3.8.1). What a damaged codestream leads beyond 32 bits wraps around.
pub struct Reversible;

impl Filter for Reversible {
    type Sample = i32;

    const STEPS: usize = 2;

    #[inline]
    fn change(step: usize, sample: i32, before: i32, after: i32) -> i32 {
        let sum = before.wrapping_add(after);
        match step {
            0 => sample.wrapping_sub(sum.wrapping_add(2) >> 2),
            _ => sample.wrapping_add(sum >> 1),
        }
    }

    fn load(_: i8, from: &[i32], to: &mut [i32]) {
        to.copy_from_slice(from);
    }

    fn halve(samples: &mut [i32]) {
        samples.iter_mut().for_each(|sample| *sample /= 2);
    }
}

/// The filter 9-7 (F.3.8.2), with the gains of the standard: coefficients are to be multiplied by the step size of E-3 and nothing else.
pub struct Irreversible;

/// K (table F.4).
const K: f32 = 1.230_174_1;

/// δ, γ, β and α (table F.4), as the steps 3 to 6 of equation F-6 have them.
const FACTORS: [f32; 4] = [0.443_506_85, 0.882_911_1, -0.052_980_12, -1.586_134_3];

impl Filter for Irreversible {
    type Sample = f32;

    const STEPS: usize = 4;

    #[inline]
    fn change(step: usize, sample: f32, before: f32, after: f32) -> f32 {
        sample - FACTORS[step] * (before + after)
    }

    fn load(gain: i8, from: &[f32], to: &mut [f32]) {
        let factor = K.powi(i32::from(gain));
        to.iter_mut()
            .zip(from)
            .for_each(|(to, from)| *to = factor * from);
    }

    fn halve(samples: &mut [f32]) {
        samples.iter_mut().for_each(|sample| *sample *= 0.5);
    }
}
