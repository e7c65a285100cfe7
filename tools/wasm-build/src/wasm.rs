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
use crate::split;
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

/// A file as it goes into the package.
pub(crate) struct Built {
    /// Its name there.
    pub(crate) file: String,
    /// Where it lies, ready to be copied.
    pub(crate) from: PathBuf,
}

/// Builds the file, and the one that is loaded later if there is to be one.
pub(crate) fn build(
    tools: &Tools,
    package: &Package,
    wasm: &Wasm,
) -> Result<Vec<Built>, BuildError> {
    let compiled = tools.cargo_wasm(wasm)?;
    let cache = tools.cache().join(&package.name);
    fs::create_dir_all(&cache).map_err(BuildError::file("create", &cache))?;
    let names = [
        Some(&wasm.file),
        wasm.later.as_ref().map(|later| &later.file),
    ];
    let built: Vec<_> = names
        .into_iter()
        .flatten()
        .map(|file| Built {
            file: file.clone(),
            from: cache.join(file),
        })
        .collect();
    let stamp = cache.join(format!("{}.stamp", wasm.file));
    let input = fs::read(&compiled).map_err(BuildError::file("read", &compiled))?;
    let digest = digest(&input, wasm);
    let glue = wasm.glue.as_ref().map(|glue| tools.root().join(glue));
    let glue_there = glue
        .as_ref()
        .is_none_or(|glue| with_extension(glue, "js").exists());
    let all_there = glue_there && built.iter().all(|built| built.from.exists());
    if all_there && fs::read_to_string(&stamp).is_ok_and(|old| old == digest) {
        return Ok(built);
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
    // Functions are told apart by their names.
    let names = wasm.later.as_ref().map(|_| "--debuginfo");
    let flags = TARGET_FEATURES.into_iter().chain(flags).chain(names);
    tools.wasm_opt(&bound, &work, flags)?;
    let optimised = fs::read(&work).map_err(BuildError::file("read", &work))?;
    let parts = match &wasm.later {
        None => vec![optimised],
        Some(later) => {
            let parts = split::split(&optimised, &later.paths, &later.loader);
            let parts = parts.map_err(|problem| BuildError::Split {
                path: work.clone(),
                problem,
            })?;
            vec![parts.first, parts.later]
        }
    };
    for (part, built) in parts.into_iter().zip(&built) {
        finish(tools, &part, &work, &built.from)?;
    }
    fs::remove_file(&work).map_err(BuildError::file("remove", &work))?;
    fs::write(&stamp, digest).map_err(BuildError::file("write", &stamp))?;
    Ok(built)
}

/// Puts the functions of a module in an order that compresses, by way of the file `work`.
fn finish(tools: &Tools, module: &[u8], work: &Path, result: &Path) -> Result<(), BuildError> {
    let named = order::named(module).map_err(|problem| BuildError::Wasm {
        path: work.into(),
        problem,
    })?;
    fs::write(work, named).map_err(BuildError::file("write", work))?;
    let flags = TARGET_FEATURES.into_iter().chain([order::FLAG]);
    tools.wasm_opt(work, result, flags)
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
        .remove_name_section(wasm.later.is_none())
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
