//! What the fuzz targets call, where it is not in the crates themselves: one function per decoder.

pub mod nano;
