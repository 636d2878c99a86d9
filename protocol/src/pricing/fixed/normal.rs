//! The standard normal distribution: a table of its upper tail every 1/8, and a Taylor series
//! between.

use super::{FRACTION_BITS, Fixed};

/// 1/√(2π); the tests derive it from Machin's formula.
const DENSITY_AT_ZERO: Fixed = Fixed::from_bits(482291623313231213510445);
/// Table nodes are k/8; the last one is 10.5, beyond which the tail is below 2^-84.
const NODE_COUNT: usize = 85;
const NODE_SPACING_BITS: u32 = FRACTION_BITS - 3;
const TAYLOR_TERMS: i128 = 24;

/// Upper tail and density at one node.
#[derive(Clone, Copy)]
struct Node {
    tail: Fixed,
    density: Fixed,
}

/// Each tail follows from the one before by the same series that is used between the nodes.
const NODES: [Node; NODE_COUNT] = {
    let mut nodes = [Node { tail: Fixed::ZERO, density: Fixed::ZERO }; NODE_COUNT];
    let mut tail = Fixed::from_bits(1 << (FRACTION_BITS - 1));
    let step = Fixed::from_bits(1 << NODE_SPACING_BITS);
    let mut index = 0;
    while index < NODE_COUNT {
        let density = Fixed::from_bits((index as i128) << NODE_SPACING_BITS).normal_density();
        nodes[index] = Node { tail, density };
        tail = tail_beyond(nodes[index], index as i128, step);
        index += 1;
    }
    nodes
};

impl Fixed {
    /// The standard normal density e^(−x²/2)/√(2π). Error at most 2^-77.
    pub const fn normal_density(self) -> Self {
        // The density at 11 is below 2^-88; squares of larger numbers are not formed.
        if self.0 > 11 << FRACTION_BITS || self.0 < -(11 << FRACTION_BITS) {
            return Self::ZERO;
        }
        let exponent = Self(-(self.mul_nearest(self).0 / 2));
        DENSITY_AT_ZERO.mul_nearest(exponent.exp())
    }

    /// The standard normal distribution function N(x). Error at most 2^-75; `N(x) + N(−x) = 1`
    /// exactly; 0 and 1 beyond ±10.5. Values lie in [0, 1].
    pub const fn normal_cdf(self) -> Self {
        if self.0 < 0 { self.neg().upper_tail() } else { Self::ONE.sub(self.upper_tail()) }
    }

    /// 1 − N(x) for x ≥ 0.
    const fn upper_tail(self) -> Self {
        let index = self.add(Self(1 << (NODE_SPACING_BITS - 1))).0 >> NODE_SPACING_BITS;
        if index >= NODE_COUNT as i128 {
            return Self::ZERO;
        }
        let offset = Self(self.0 - (index << NODE_SPACING_BITS));
        let tail = tail_beyond(NODES[index as usize], index, offset);
        if tail.0 < 0 { Self::ZERO } else { tail }
    }
}

/// The tail at `index/8 + offset`, |offset| ≤ 1/8, from the node at `index/8`.
///
/// φ(a + h) = φ(a)·Σ t_k with t_k = (−h)^k He_k(a)/k!, hence t_(k+1) = −(a·h·t_k + h²·t_(k−1))/(k +
/// 1); integrated from 0 to h this is φ(a)·h·Σ t_k/(k + 1).
const fn tail_beyond(node: Node, index: i128, offset: Fixed) -> Fixed {
    let slope = Fixed(offset.0 * index / 8);
    let square = offset.mul_nearest(offset);
    let (mut term, mut previous) = (Fixed::ONE, Fixed::ZERO);
    let (mut sum, mut count) = (Fixed::ONE, 1);
    while count < TAYLOR_TERMS {
        let next = slope.mul_nearest(term).add(square.mul_nearest(previous));
        (term, previous) = (Fixed(-next.0 / count), term);
        count += 1;
        sum = sum.add(Fixed(term.0 / count));
        if term.0 == 0 && previous.0 == 0 {
            break;
        }
    }
    node.tail.sub(node.density.mul_nearest(offset.mul_nearest(sum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn density_at_zero_is_one_over_root_two_pi() {
        // π = 16·arctan(1/5) − 4·arctan(1/239) in 100 fractional bits.
        let arctan = |x: i128| -> i128 {
            let (mut power, mut sum, mut k) = ((1i128 << 100) / x, 0, 0);
            while power != 0 {
                sum += if k % 2 == 0 { power / (2 * k + 1) } else { -power / (2 * k + 1) };
                power /= x * x;
                k += 1;
            }
            sum
        };
        let two_pi = 2 * (16 * arctan(5) - 4 * arctan(239));
        let root = Fixed::from_bits(two_pi >> 20).sqrt_floor();
        assert!((Fixed::ONE.div_nearest(root).0 - DENSITY_AT_ZERO.0).abs() <= 1);
    }

    #[test]
    fn nodes_agree_with_the_series_from_the_other_side() {
        for index in 1..NODE_COUNT {
            let back = Fixed(-(1 << NODE_SPACING_BITS));
            let tail = tail_beyond(NODES[index], index as i128, back);
            assert!((tail.0 - NODES[index - 1].tail.0).abs() <= 4, "node {index}");
        }
        assert!(NODES[NODE_COUNT - 1].tail.0.abs() <= 32);
    }
}
