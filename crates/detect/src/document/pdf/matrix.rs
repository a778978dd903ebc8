//! Transformations of coordinates (8.3.3).

/// A matrix of six numbers: `[a b c d e f]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matrix(pub(super) [f64; 6]);

impl Default for Matrix {
    fn default() -> Self {
        Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    }
}

impl Matrix {
    /// A move.
    pub(super) fn moved(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First this one, then `other`.
    pub(super) fn then(self, other: Self) -> Self {
        let ([a, b, c, d, e, f], [k, l, m, n, o, p]) = (self.0, other.0);
        Self([a * k + b * m, a * l + b * n, c * k + d * m, c * l + d * n, e * k + f * m + o, e * l + f * n + p])
    }

    /// Where its zero is.
    pub(super) fn origin(self) -> (f64, f64) {
        (self.0[4], self.0[5])
    }

    /// What a step to the right becomes.
    pub(super) fn right(self) -> (f64, f64) {
        (self.0[0], self.0[1])
    }

    /// What a step upwards becomes.
    pub(super) fn up(self) -> (f64, f64) {
        (self.0[2], self.0[3])
    }
}

/// How long a step is.
pub(super) fn length((x, y): (f64, f64)) -> f64 {
    (x * x + y * y).sqrt()
}
