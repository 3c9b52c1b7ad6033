//! The inverse transforms of three components to colours (ISO/IEC 15444-1, annex G), and what comes after them.

/// The inverse reversible transform (RCT, G.2.2), in place. What a damaged codestream leads beyond 32 bits wraps around.
pub fn reversible(planes: [&mut [i32]; 3]) {
    let [first, second, third] = planes;
    for ((a, b), c) in first.iter_mut().zip(second).zip(third) {
        let green = a.wrapping_sub(b.wrapping_add(*c) >> 2);
        [*a, *b, *c] = [c.wrapping_add(green), green, b.wrapping_add(green)];
    }
}

/// The inverse irreversible transform (ICT, G.3.2), in place.
pub fn irreversible(planes: [&mut [f32]; 3]) {
    let [first, second, third] = planes;
    for ((a, b), c) in first.iter_mut().zip(second).zip(third) {
        let (luma, blue, red) = (*a, *b, *c);
        [*a, *b, *c] = [
            luma + 1.402 * red,
            luma - 0.344_13 * blue - 0.714_14 * red,
            luma + 1.772 * blue,
        ];
    }
}

/// The greatest magnitude that [`round`] gives: of what is greater, single precision has no halves to round.
const GREATEST: f32 = 4_194_303.0;

/// Whose fractions have no room in single precision, so that a sum with it is a whole number: 3 · 2²².
const WHOLE: f32 = 12_582_912.0;

/// Rounds samples to the nearest whole number, of two the even one. Those beyond 22 bits become the greatest or the least of 22 bits; NaN
/// becomes one of them too.
pub fn round(samples: &[f32], rounded: &mut [i32]) {
    for (sample, rounded) in samples.iter().zip(rounded) {
        let below = if *sample < GREATEST {
            *sample
        } else {
            GREATEST
        };
        let within = if below > -GREATEST { below } else { -GREATEST };
        *rounded = (within + WHOLE).to_bits() as i32 - WHOLE.to_bits() as i32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As G.2.1 and G.3.1 have it; colours that the transforms were given come back.
    #[test]
    fn colours_come_back() {
        let colors = [
            [0, 0, 0],
            [255, 0, 0],
            [0, 255, 0],
            [0, 0, 255],
            [-128, 127, 3],
            [77, -5, 64],
            [1, 2, 3],
            [-3, -2, -2],
        ];
        let forward =
            colors.map(|[r, g, b]: [i32; 3]| [(r + 2 * g + b).div_euclid(4), b - g, r - g]);
        let mut planes = [0, 1, 2].map(|plane| forward.map(|color| color[plane]));
        let [a, b, c] = &mut planes;
        reversible([a, b, c]);
        assert_eq!(
            planes,
            [0, 1, 2].map(|plane| colors.map(|color| color[plane]))
        );

        let forward = colors.map(|color| {
            let [r, g, b] = color.map(f64::from);
            let luma = 0.299 * r + 0.587 * g + 0.114 * b;
            [
                luma,
                -0.168_75 * r - 0.331_26 * g + 0.5 * b,
                0.5 * r - 0.418_69 * g - 0.081_31 * b,
            ]
            .map(|value| value as f32)
        });
        let mut planes = [0, 1, 2].map(|plane| forward.map(|color| color[plane]));
        let [a, b, c] = &mut planes;
        irreversible([a, b, c]);
        for (plane, samples) in planes.iter().enumerate() {
            for (sample, color) in samples.iter().zip(colors) {
                assert!(
                    (sample - color[plane] as f32).abs() < 0.02,
                    "{sample} for {color:?}"
                );
            }
        }
    }

    #[test]
    fn samples_are_rounded_to_the_nearest() {
        let samples = [
            0.0,
            0.49,
            0.5,
            0.51,
            1.5,
            -0.5,
            -0.51,
            -1.5,
            -2.49,
            254.999,
            65535.4,
            -0.499_999_97,
            4_194_302.8,
        ];
        let mut rounded = [7; 13];
        round(&samples, &mut rounded);
        assert_eq!(
            rounded,
            [0, 0, 0, 1, 2, 0, -1, -2, -2, 255, 65535, 0, 4_194_303]
        );
    }

    #[test]
    fn what_is_extreme_does_no_harm() {
        let mut rounded = [7; 5];
        round(
            &[f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 5e6, -5e6],
            &mut rounded,
        );
        assert_eq!(
            rounded,
            [4_194_303, -4_194_303, 4_194_303, 4_194_303, -4_194_303]
        );
        round(&[f32::NAN], &mut rounded);
        assert_eq!(rounded[0].abs(), 4_194_303);
        let mut planes = [
            [i32::MAX, i32::MIN],
            [i32::MAX, i32::MIN],
            [i32::MAX, i32::MAX],
        ];
        let [a, b, c] = &mut planes;
        reversible([a, b, c]);
        let mut planes = [[f32::NAN], [f32::INFINITY], [f32::MAX]];
        let [a, b, c] = &mut planes;
        irreversible([a, b, c]);
        assert!(planes[0][0].is_nan());
    }
}
