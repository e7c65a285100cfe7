//! The programs the build drives: cargo, and from the npm packages wasm-opt, esbuild and tsc.

use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::BuildError;
use crate::config::Wasm;

const TARGET: &str = "wasm32-unknown-unknown";

/// Where everything is.
pub(crate) struct Tools {
    root: PathBuf,
    target: PathBuf,
}

impl Tools {
    /// For the repository this tool is part of.
    pub(crate) fn new() -> Tools {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.canonicalize().unwrap_or(root);
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |folder| root.join(folder));
        Tools { root, target }
    }

    /// The repository's root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where results of slow steps are kept.
    pub(crate) fn cache(&self) -> PathBuf {
        self.target.join("wasm-build")
    }

    /// Compiles a crate; returns cargo's wasm file.
    pub(crate) fn cargo_wasm(&self, wasm: &Wasm) -> Result<PathBuf, BuildError> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--target", TARGET, "--profile", &wasm.profile]);
        // At a terminal cargo draws its progress; elsewhere it would print a line for every crate.
        if !std::io::stderr().is_terminal() {
            command.arg("-q");
        }
        command.args(["-p", &wasm.crate_name, "--no-default-features"]);
        command.args(["--features", &wasm.features.join(",")]);
        command.args(without_places());
        self.run(command)?;
        let name = format!("{}.wasm", wasm.crate_name.replace('-', "_"));
        Ok(self.target.join(TARGET).join(&wasm.profile).join(name))
    }

    /// Optimises a wasm file.
    pub(crate) fn wasm_opt<'a>(
        &self,
        from: &Path,
        to: &Path,
        flags: impl Iterator<Item = &'a str>,
    ) -> Result<(), BuildError> {
        let mut command = self.npm("wasm-opt")?;
        command.args(flags).arg(from).arg("-o").arg(to);
        self.run(command)
    }

    /// Bundles JavaScript.
    pub(crate) fn esbuild<Arg: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = Arg>,
    ) -> Result<(), BuildError> {
        let mut command = self.npm("esbuild")?;
        command.args(args);
        self.run(command)
    }

    /// Emits declarations.
    pub(crate) fn tsc(&self, project: &Path) -> Result<(), BuildError> {
        let mut command = self.npm("tsc")?;
        command.arg("-p").arg(project);
        self.run(command)
    }

    /// A program of an installed npm package.
    fn npm(&self, program: &str) -> Result<Command, BuildError> {
        let name = if cfg!(windows) {
            format!("{program}.cmd")
        } else {
            program.into()
        };
        let path = self.root.join("node_modules").join(".bin").join(name);
        if path.exists() {
            Ok(Command::new(path))
        } else {
            Err(BuildError::NoNpmPackages {
                program: program.into(),
            })
        }
    }

    fn run(&self, mut command: Command) -> Result<(), BuildError> {
        command.current_dir(&self.root);
        let program = format!("{command:?}");
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(BuildError::Program {
                program,
                problem: status.to_string(),
            }),
            Err(error) => Err(BuildError::Program {
                program,
                problem: error.to_string(),
            }),
        }
    }
}

/// Arguments that keep the places of libraries on this machine out of what it compiles: panics
/// name them, a page would load them, and two machines would build two different files.
fn without_places() -> Vec<String> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| {
            let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
            Some(PathBuf::from(home).join(".cargo"))
        });
    let sources = home.map(|home| home.join("registry").join("src"));
    let registries = sources.and_then(|sources| std::fs::read_dir(sources).ok());
    let mut places: Vec<String> = registries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|registry| Some(registry.path().to_str()?.to_owned()))
        .collect();
    places.sort_unstable();
    let flags = places
        .into_iter()
        .map(|place| format!("--remap-path-prefix={place}/="));
    let list: toml::Value = flags.collect::<Vec<_>>().into();
    vec![
        "--config".to_owned(),
        format!("target.{TARGET}.rustflags={list}"),
    ]
}
