//! One wasm file: cargo compiles it, wasm-bindgen writes its glue, wasm-opt makes it small and puts
//! functions that look alike together.
//!
//! All steps but the first are skipped while cargo's output and the settings are what they were: a
//! stamp beside the cached result holds their digest.

use std::fs;
use std::path::{Path, PathBuf};

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};

use crate::BuildError;
use crate::config::{Bindgen, Package, Wasm};
use crate::order;
use crate::tools::Tools;

/// What wasm-opt has to be told that it may meet: what rustc's wasm32 target emits by default, and the vector
/// instructions of `work-simd.wasm` and `work-relaxed.wasm`, of which wasm-opt brings none in by itself.
const TARGET_FEATURES: [&str; 9] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
    "--enable-relaxed-simd",
];

/// Builds the file and returns where it lies, ready to be copied into the package.
pub(crate) fn build(tools: &Tools, package: &Package, wasm: &Wasm) -> Result<PathBuf, BuildError> {
    let compiled = tools.cargo_wasm(wasm)?;
    let cache = tools.cache().join(&package.name);
    fs::create_dir_all(&cache).map_err(BuildError::file("create", &cache))?;
    let result = cache.join(&wasm.file);
    let stamp = cache.join(format!("{}.stamp", wasm.file));
    let input = fs::read(&compiled).map_err(BuildError::file("read", &compiled))?;
    let digest = digest(&input, wasm);
    let glue = wasm.glue.as_ref().map(|glue| tools.root().join(glue));
    let glue_there = glue
        .as_ref()
        .is_none_or(|glue| with_extension(glue, "js").exists());
    if glue_there && result.exists() && fs::read_to_string(&stamp).is_ok_and(|old| old == digest) {
        return Ok(result);
    }
    let bound = match (&wasm.bindgen, glue) {
        (Bindgen::None, _) => compiled,
        (Bindgen::Web, Some(glue)) => bind(&cache, wasm, &input, &glue)?,
        (Bindgen::Web, None) => {
            return Err(BuildError::NoGlue {
                package: package.name.clone(),
                file: wasm.file.clone(),
            });
        }
    };
    let work = cache.join(format!("{}.work", wasm.file));
    let flags = wasm.wasm_opt.iter().map(String::as_str);
    tools.wasm_opt(&bound, &work, TARGET_FEATURES.into_iter().chain(flags))?;
    let optimised = fs::read(&work).map_err(BuildError::file("read", &work))?;
    let named = order::named(&optimised).map_err(|problem| BuildError::Wasm {
        path: work.clone(),
        problem,
    })?;
    fs::write(&work, named).map_err(BuildError::file("write", &work))?;
    let flags = TARGET_FEATURES.into_iter().chain([order::FLAG]);
    tools.wasm_opt(&work, &result, flags)?;
    fs::remove_file(&work).map_err(BuildError::file("remove", &work))?;
    fs::write(&stamp, digest).map_err(BuildError::file("write", &stamp))?;
    Ok(result)
}

/// Runs wasm-bindgen: writes the glue where TypeScript imports it from, returns the bound wasm.
fn bind(cache: &Path, wasm: &Wasm, input: &[u8], glue: &Path) -> Result<PathBuf, BuildError> {
    let out = cache.join("bound");
    let stem = wasm.file.trim_end_matches(".wasm");
    let bindgen = |error: &dyn std::fmt::Display| BuildError::Bindgen {
        file: wasm.file.clone(),
        problem: error.to_string(),
    };
    wasm_bindgen_cli_support::Bindgen::new()
        .input_bytes(stem, input.to_vec())
        .web(true)
        .map_err(|error| bindgen(&format_args!("{error:#}")))?
        .typescript(true)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .generate(&out)
        .map_err(|error| bindgen(&format_args!("{error:#}")))?;
    if let Some(folder) = glue.parent() {
        fs::create_dir_all(folder).map_err(BuildError::file("create", folder))?;
    }
    for extension in ["js", "d.ts"] {
        let from = out.join(format!("{stem}.{extension}"));
        let to = with_extension(glue, extension);
        fs::copy(&from, &to).map_err(BuildError::file("copy", &from))?;
    }
    Ok(out.join(format!("{stem}_bg.wasm")))
}

/// `glue` names a file without its extension, which may itself contain dots.
fn with_extension(glue: &Path, extension: &str) -> PathBuf {
    let mut name = glue.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

/// Over cargo's output, every setting that shapes the result, and the glue generator's version.
fn digest(input: &[u8], wasm: &Wasm) -> String {
    let mut hash = Blake2b::<U32>::new();
    hash.update(input);
    hash.update(format!("{wasm:?}{TARGET_FEATURES:?}{}", order::FLAG));
    hash.update(env!("CARGO_PKG_VERSION"));
    hex::encode(hash.finalize())
}
