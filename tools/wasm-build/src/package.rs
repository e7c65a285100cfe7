//! One npm package: its wasm files, its JavaScript, its declarations and its `package.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use crate::BuildError;
use crate::config::{Entry, Package};
use crate::tools::Tools;
use crate::wasm::{self, Built};

/// Files every package carries.
const TEXTS: [&str; 3] = ["LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md"];
/// What stands in for a browser's globals where a server's entries use them.
const SERVER_GLOBALS: &str = "nano-wasm/js/server/globals.ts";
/// Versions of Node.js whose threads have a WebSocket, if only behind a flag.
const NODE: &str = ">=20.12";

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
    inlined(package, &out)?;
    if let Some(project) = &package.tsconfig {
        tools.tsc(&tools.root().join(project))?;
    }
    if !package.entry.is_empty() {
        for text in TEXTS {
            copy(&tools.root().join(text), &out.join(text))?;
        }
        if let Some(readme) = &package.readme {
            copy(&tools.root().join(readme), &out.join("README.md"))?;
        }
        let manifest = out.join("package.json");
        fs::write(&manifest, manifest_text(package)?)
            .map_err(BuildError::file("write", &manifest))?;
    }
    Ok(())
}

/// Bundles the entries: pages' together with shared chunks, servers' likewise, each worker alone.
fn scripts(tools: &Tools, package: &Package, out: &Path) -> Result<(), BuildError> {
    let (workers, entries): (Vec<_>, Vec<_>) = package.entry.iter().partition(|entry| entry.worker);
    let (servers, pages): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.server);
    let common = |entries: &[&Entry]| {
        let mut args: Vec<String> = ["--bundle", "--format=esm", "--target=es2022"]
            .map(String::from)
            .to_vec();
        args.push("--log-level=warning".into());
        args.push("--legal-comments=none".into());
        args.push(format!("--outdir={}", out.display()));
        // Written below, out of what is bundled here.
        args.push("--external:./*-inlined.js".into());
        if entries.iter().any(|entry| entry.server) {
            // Nobody downloads it, and Node.js prints the line that failed.
            args.push("--platform=node".into());
        } else {
            args.push("--minify".into());
        }
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
    for (together, globals) in [(pages, None), (servers, Some(SERVER_GLOBALS))] {
        if together.is_empty() {
            continue;
        }
        let mut args = common(&together);
        args.push("--splitting".into());
        args.push("--chunk-names=shared-[hash]".into());
        if let Some(path) = globals {
            args.push(format!("--inject:{}", tools.root().join(path).display()));
        }
        tools.esbuild(args)?;
    }
    for worker in workers {
        tools.esbuild(common(&[worker]))?;
    }
    Ok(())
}

/// Writes the scripts that hold other files of the package.
fn inlined(package: &Package, out: &Path) -> Result<(), BuildError> {
    for inlined in &package.inlined {
        let mut files = BTreeMap::new();
        for name in &inlined.of {
            let path = out.join(name);
            let bytes = fs::read(&path).map_err(BuildError::file("read", &path))?;
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            let packed = encoder
                .write_all(&bytes)
                .and_then(|()| encoder.finish())
                .map_err(BuildError::file("compress", &path))?;
            files.insert(name, BASE64_STANDARD.encode(packed));
        }
        let path = out.join(&inlined.file);
        let text = serde_json::to_string(&files).map_err(manifest_error)?;
        fs::write(&path, format!("export default {text};\n"))
            .map_err(BuildError::file("write", &path))?;
    }
    Ok(())
}

/// `package.json`, its fields in the order that npm shows them in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    name: &'a str,
    version: &'a str,
    description: &'a str,
    license: &'a str,
    r#type: &'a str,
    side_effects: bool,
    engines: BTreeMap<&'a str, &'a str>,
    exports: BTreeMap<&'a str, Export>,
}

/// Files of an entry by condition. Whoever resolves takes the first that it knows, so the order counts.
#[derive(Default, Serialize)]
struct Export {
    #[serde(skip_serializing_if = "Option::is_none")]
    types: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    default: String,
}

fn manifest_text(package: &Package) -> Result<String, BuildError> {
    let mut exports: BTreeMap<&str, Export> = BTreeMap::new();
    for entry in &package.entry {
        let Some(key) = &entry.export else { continue };
        let export = exports.entry(key).or_default();
        if package.types.is_some()
            && let Some(stem) = entry.source.file_stem()
        {
            export.types = Some(format!("./types/{}.d.ts", stem.to_string_lossy()));
        }
        let file = format!("./{}", entry.file);
        if entry.server {
            export.node = Some(file);
        } else {
            export.default = file;
        }
    }
    let manifest = Manifest {
        name: &package.name,
        version: env!("CARGO_PKG_VERSION"),
        description: &package.description,
        license: "MIT OR Apache-2.0",
        r#type: "module",
        side_effects: false,
        engines: BTreeMap::from([("node", NODE)]),
        exports,
    };
    serde_json::to_string_pretty(&manifest)
        .map(|text| text + "\n")
        .map_err(manifest_error)
}

fn manifest_error(error: serde_json::Error) -> BuildError {
    BuildError::Manifest {
        problem: error.to_string(),
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), BuildError> {
    fs::copy(from, to)
        .map(|_| ())
        .map_err(BuildError::file("copy", from))
}
