//! One npm package: its wasm files, its JavaScript, its declarations and its `package.json`.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::BuildError;
use crate::config::{Entry, Package};
use crate::tools::Tools;
use crate::wasm::{self, Built};

/// Files every package carries.
const TEXTS: [&str; 3] = ["LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md"];

/// Builds a package into its folder. A failure leaves the folder as it was until the last step.
pub(crate) fn build(tools: &Tools, package: &Package) -> Result<(), BuildError> {
    let mut built = Vec::new();
    for wasm in &package.wasm {
        built.extend(wasm::build(tools, package, wasm)?);
    }
    let out = tools.root().join(&package.out);
    if out.exists() {
        fs::remove_dir_all(&out).map_err(BuildError::file("empty", &out))?;
    }
    fs::create_dir_all(&out).map_err(BuildError::file("create", &out))?;
    for Built { file, from } in built {
        copy(&from, &out.join(file))?;
    }
    scripts(tools, package, &out)?;
    if let Some(project) = &package.tsconfig {
        tools.tsc(&tools.root().join(project))?;
    }
    if !package.entry.is_empty() {
        for text in TEXTS {
            copy(&tools.root().join(text), &out.join(text))?;
        }
        let manifest = out.join("package.json");
        fs::write(&manifest, manifest_text(package)?)
            .map_err(BuildError::file("write", &manifest))?;
    }
    Ok(())
}

/// Bundles the entries: pages' together with shared chunks, each worker alone.
fn scripts(tools: &Tools, package: &Package, out: &Path) -> Result<(), BuildError> {
    let (workers, pages): (Vec<_>, Vec<_>) = package.entry.iter().partition(|entry| entry.worker);
    let common = |entries: &[&Entry]| {
        let mut args: Vec<String> = ["--bundle", "--format=esm", "--target=es2022", "--minify"]
            .map(String::from)
            .to_vec();
        args.push("--log-level=warning".into());
        args.push("--legal-comments=none".into());
        args.push(format!("--outdir={}", out.display()));
        for entry in entries {
            let source = tools.root().join(&entry.source);
            args.push(format!(
                "{}={}",
                entry.file.trim_end_matches(".js"),
                source.display()
            ));
        }
        args
    };
    if !pages.is_empty() {
        let mut args = common(&pages);
        args.push("--splitting".into());
        args.push("--chunk-names=shared-[hash]".into());
        tools.esbuild(args)?;
    }
    for worker in workers {
        tools.esbuild(common(&[worker]))?;
    }
    Ok(())
}

fn manifest_text(package: &Package) -> Result<String, BuildError> {
    let mut exports = Map::new();
    for entry in &package.entry {
        let Some(key) = &entry.export else { continue };
        let mut export = Map::new();
        if package.types.is_some()
            && let Some(stem) = entry.source.file_stem()
        {
            let types = format!("./types/{}.d.ts", stem.to_string_lossy());
            export.insert("types".into(), types.into());
        }
        export.insert("default".into(), format!("./{}", entry.file).into());
        exports.insert(key.clone(), Value::Object(export));
    }
    let manifest = json!({
        "name": package.name,
        "version": env!("CARGO_PKG_VERSION"),
        "description": package.description,
        "license": "MIT OR Apache-2.0",
        "type": "module",
        "sideEffects": false,
        "exports": exports,
    });
    serde_json::to_string_pretty(&manifest)
        .map(|text| text + "\n")
        .map_err(|error| BuildError::Manifest {
            problem: error.to_string(),
        })
}

fn copy(from: &Path, to: &Path) -> Result<(), BuildError> {
    fs::copy(from, to)
        .map(|_| ())
        .map_err(BuildError::file("copy", from))
}
