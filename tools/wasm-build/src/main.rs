//! Turns the wasm crates into npm packages as `wasm-pack.toml` says.
//!
//! `wasm-build` builds the packages marked as default, `wasm-build NAME…` the named ones and
//! `wasm-build --all` every one. wasm-bindgen's generator is linked in as a library, so its
//! version is the one that the crates are compiled against, by the same lock file.

mod config;
mod order;
mod package;
mod split;
mod tools;
mod wasm;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use thiserror::Error;

use crate::tools::Tools;

/// Why a build ended early.
#[derive(Debug, Error)]
enum BuildError {
    /// The file system refused something.
    #[error("could not {action} {path}: {problem}", path = path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        problem: std::io::Error,
    },
    /// The configuration is not understood.
    #[error("{path} is not understood: {problem}", path = path.display())]
    Config { path: PathBuf, problem: String },
    /// A package was asked for that the file does not describe.
    #[error("wasm-pack.toml describes no package \"{name}\"; it has: {known}")]
    NoPackage { name: String, known: String },
    /// A wasm file that needs glue names no place for it.
    #[error("package {package}: {file} has bindgen = \"web\" and needs a `glue` path")]
    NoGlue { package: String, file: String },
    /// wasm-bindgen refused the module.
    #[error("wasm-bindgen could not bind {file}: {problem}")]
    Bindgen { file: String, problem: String },
    /// A compiled or optimised module is not one.
    #[error("{path} is no wasm module: {problem}", path = path.display())]
    Wasm {
        path: PathBuf,
        problem: wasmparser::BinaryReaderError,
    },
    /// A module could not be split in two.
    #[error("{path} could not be split: {problem}", path = path.display())]
    Split {
        path: PathBuf,
        problem: split::SplitError,
    },
    /// The npm packages are not installed.
    #[error("{program} is not installed: run `npm ci` in the repository's root")]
    NoNpmPackages { program: String },
    /// A driven program failed; its own output says why.
    #[error("{program} failed: {problem}")]
    Program { program: String, problem: String },
    /// `package.json` could not be written as text.
    #[error("package.json could not be made: {problem}")]
    Manifest { problem: String },
}

impl BuildError {
    /// Wraps an error of the file system with what was tried on which path.
    fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> BuildError {
        let path = path.into();
        move |problem| BuildError::File {
            action,
            path,
            problem,
        }
    }
}

fn main() -> ExitCode {
    match build(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-build: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build(names: Vec<String>) -> Result<(), BuildError> {
    let tools = Tools::new();
    let config = config::read(&tools.root().join("wasm-pack.toml"))?;
    let all = names.iter().any(|name| name == "--all");
    let known = || config.package.iter().map(|package| package.name.as_str());
    if let Some(name) = names
        .iter()
        .find(|name| *name != "--all" && !known().any(|k| k == *name))
    {
        let known = known().collect::<Vec<_>>().join(", ");
        return Err(BuildError::NoPackage {
            name: name.clone(),
            known,
        });
    }
    for package in &config.package {
        let asked = names.contains(&package.name);
        if all || asked || (names.is_empty() && package.default) {
            eprintln!("  {} → {}", package.name, package.out.display());
            package::build(&tools, package)?;
        }
    }
    Ok(())
}
