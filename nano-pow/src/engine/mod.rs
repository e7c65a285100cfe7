//! The kernels of this processor. All search the same nonces in the same order, so every engine finds
//! the same first nonce; they differ in how many they hash side by side.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
pub(crate) mod scalar;
#[cfg(all(target_arch = "wasm32", feature = "simd128"))]
mod simd128;

use crate::prepared::Prepared;

/// A kernel that this processor can run: there is no way to name another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engine(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(all(target_arch = "wasm32", feature = "simd128"))]
    Simd128,
}

impl Engine {
    /// What runs everywhere.
    pub const SCALAR: Self = Self(Kind::Scalar);

    /// WebAssembly's vector instructions, which a wasm that holds them was only loaded with.
    #[cfg(all(target_arch = "wasm32", feature = "simd128"))]
    pub(crate) const SIMD128: Self = Self(Kind::Simd128);

    /// All that this processor can run, the slowest first. Never empty: [`Engine::SCALAR`] leads.
    pub fn available() -> impl DoubleEndedIterator<Item = Self> {
        [
            Some(Kind::Scalar),
            #[cfg(target_arch = "aarch64")]
            std::arch::is_aarch64_feature_detected!("neon").then_some(Kind::Neon),
            #[cfg(target_arch = "x86_64")]
            is_x86_feature_detected!("avx2").then_some(Kind::Avx2),
            #[cfg(target_arch = "x86_64")]
            is_x86_feature_detected!("avx512f").then_some(Kind::Avx512),
            #[cfg(all(target_arch = "wasm32", feature = "simd128"))]
            Some(Kind::Simd128),
        ]
        .into_iter()
        .flatten()
        .map(Self)
    }

    /// The fastest that this processor can run.
    #[must_use]
    pub fn best() -> Self {
        Self::available().next_back().unwrap_or(Self::SCALAR)
    }

    /// Its name: `scalar`, `avx2`, `avx512`, `neon` or `simd128`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
            #[cfg(all(target_arch = "wasm32", feature = "simd128"))]
            Kind::Simd128 => "simd128",
        }
    }

    /// The first of the `count` nonces from `start` on (wrapping) that reaches `threshold`.
    #[allow(
        unsafe_code,
        reason = "calls code compiled for instructions that not every processor has; \
                  an engine is only made where they were detected"
    )]
    pub(crate) fn first(
        self,
        prepared: &Prepared,
        threshold: u64,
        start: u64,
        count: u32,
    ) -> Option<u64> {
        let count = u64::from(count);
        match self.0 {
            Kind::Scalar => scalar::first(prepared, threshold, start, count),
            // SAFETY: `available` made this engine after it detected `avx2`.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { avx2::first(prepared, threshold, start, count) },
            // SAFETY: `available` made this engine after it detected `avx512f`.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { avx512::first(prepared, threshold, start, count) },
            // SAFETY: `available` made this engine after it detected `neon`.
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => unsafe { neon::first(prepared, threshold, start, count) },
            #[cfg(all(target_arch = "wasm32", feature = "simd128"))]
            Kind::Simd128 => simd128::first(prepared, threshold, start, count),
        }
    }
}
