//! What the fuzz targets call: one function per decoder.

pub mod nano;
