//! The order of a wasm file's functions: those that look alike lie near each other.
//!
//! gzip, which most servers compress with, repeats only what it saw within the last 32 KB, and a
//! node has several hundred. Compilers leave functions in an order that says nothing of their
//! content; in this one a node takes 3 % less to transfer, with the same code. wasm-opt puts
//! functions in the order of their names, so all this does is name them.
//!
//! The order is built greedily: next comes the function with the most runs of bytes that also
//! occur within reach before it, in proportion to its length.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wasm_encoder::{NameMap, NameSection, Section as _};
use wasmparser::{BinaryReaderError, Parser, Payload, TypeRef};

/// How long a run of bytes is: shorter ones occur everywhere by chance.
const RUN: usize = 7;
/// Runs of more functions than this say nothing about which ones are alike.
const COMMON: usize = 60;
/// How many bytes of functions are looked back on: gzip's window, less what code is mixed with.
const REACH: usize = 30_000;
/// Added to every length, so that a few runs do not pull the shortest functions forward.
const SHORT: usize = 100;

/// The wasm-opt flag that puts functions in the order given by [`named`].
pub(crate) const FLAG: &str = "--reorder-functions-by-name";

/// The module, its functions named so that the order of their names is the one wanted. It must
/// not have names yet.
pub(crate) fn named(wasm: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut imported = 0;
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes()),
            _ => {}
        }
    }
    let mut places: Vec<_> = order(&bodies).into_iter().zip(0..).collect();
    places.sort_unstable();
    let mut names = NameMap::new();
    for (index, (_, place)) in (imported..).zip(places) {
        names.append(index, &format!("{place:06}"));
    }
    let mut section = NameSection::new();
    section.functions(&names);
    let mut result = wasm.to_vec();
    section.append_to(&mut result);
    Ok(result)
}

/// Indices into `bodies` in the order wanted, which begins with the first.
fn order(bodies: &[&[u8]]) -> Vec<usize> {
    let runs = shared_runs(bodies);
    let mut users = BTreeMap::<&[u8], Vec<usize>>::new();
    for (function, runs) in runs.iter().enumerate() {
        for run in runs {
            users.entry(run).or_default().push(function);
        }
    }
    let users_of = |run: &[u8]| users.get(run).map_or(&[][..], Vec::as_slice);
    // How many of each function's runs occur within reach.
    let mut alike = vec![0_usize; bodies.len()];
    let mut in_reach = VecDeque::new();
    let mut reach = 0;
    let mut times = BTreeMap::<&[u8], usize>::new();
    let mut left: BTreeSet<usize> = (0..bodies.len()).collect();
    let mut order = Vec::with_capacity(bodies.len());
    let mut next = left.pop_first();
    while let Some(function) = next {
        left.remove(&function);
        order.push(function);
        in_reach.push_back(function);
        reach += bodies[function].len();
        for &run in &runs[function] {
            let times = times.entry(run).or_default();
            *times += 1;
            if *times == 1 {
                users_of(run).iter().for_each(|&user| alike[user] += 1);
            }
        }
        while reach > REACH && in_reach.len() > 1 {
            let Some(gone) = in_reach.pop_front() else {
                break;
            };
            reach -= bodies[gone].len();
            for &run in &runs[gone] {
                let times = times.entry(run).or_default();
                *times -= 1;
                if *times == 0 {
                    users_of(run).iter().for_each(|&user| alike[user] -= 1);
                }
            }
        }
        // The first of equals, so that one input has one result; fractions compared crosswise.
        next = left.iter().copied().reduce(|best, other| {
            let length = |function: usize| bodies[function].len() + SHORT;
            let closer = alike[other] * length(best) > alike[best] * length(other);
            if closer { other } else { best }
        });
    }
    order
}

/// For each function its runs that other functions have too, and not too many of them.
fn shared_runs<'a>(bodies: &[&'a [u8]]) -> Vec<BTreeSet<&'a [u8]>> {
    let mut runs: Vec<BTreeSet<&[u8]>> = bodies
        .iter()
        .map(|body| body.windows(RUN).collect())
        .collect();
    let mut users = BTreeMap::<&[u8], usize>::new();
    for run in runs.iter().flatten() {
        *users.entry(run).or_default() += 1;
    }
    let shared = 2..=COMMON;
    for runs in &mut runs {
        runs.retain(|run| users.get(run).is_some_and(|users| shared.contains(users)));
    }
    runs
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        CodeSection, EntityType, Function, FunctionSection, ImportSection, Module, TypeSection,
    };

    use super::*;

    /// Bytes of their own for every seed.
    fn body(seed: u32, length: usize) -> Vec<u8> {
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(seed), next)
            .skip(1)
            .map(|state| state.to_be_bytes()[0])
            .take(length)
            .collect()
    }

    #[test]
    fn functions_that_look_alike_lie_together() {
        let (one, other) = (body(1, 200), body(2, 200));
        let (mut like_one, mut like_other) = (one.clone(), other.clone());
        like_one[100] ^= 0xFF;
        like_other[50] ^= 0xFF;
        assert_eq!(order(&[&one, &other, &like_other, &like_one]), [0, 3, 1, 2]);
    }

    #[test]
    fn what_lies_beyond_reach_attracts_nothing() {
        let (start, end) = (body(1, 3_000), body(2, 100));
        let first = [&start[..], &end].concat();
        let (stranger, like_end) = (body(3, 200), [&end[..20], &body(4, 180)].concat());
        let second = |rest: usize| [&start[..], &vec![0; rest]].concat();
        assert_eq!(
            order(&[&first, &second(0), &stranger, &like_end]),
            [0, 1, 3, 2]
        );
        assert_eq!(
            order(&[&first, &second(REACH), &stranger, &like_end]),
            [0, 1, 2, 3]
        );
    }

    #[test]
    fn runs_that_many_functions_have_make_none_alike() {
        let same = body(1, 50);
        let bodies: Vec<_> = (2..)
            .map(|seed| [&same[..], &body(seed, 150)].concat())
            .take(COMMON)
            .chain([body(1_000, 200), same.clone()])
            .collect();
        let bodies: Vec<_> = bodies.iter().map(Vec::as_slice).collect();
        let all: Vec<_> = (0..bodies.len()).collect();
        assert_eq!(order(&bodies), all);
    }

    #[test]
    fn every_function_of_the_module_is_named_once_and_imports_are_not() {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        imports.import("page", "log", EntityType::Function(0));
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for number in [1, 2, 1] {
            functions.function(0);
            let mut function = Function::new([]);
            for _ in 0..30 {
                function.instructions().i32_const(number).drop();
            }
            function.instructions().end();
            code.function(&function);
        }
        let mut module = Module::new();
        module
            .section(&types)
            .section(&imports)
            .section(&functions)
            .section(&code);
        let names = names_in(&named(&module.finish()).unwrap());
        let expected = [(1, "000000"), (2, "000002"), (3, "000001")];
        assert_eq!(
            names,
            expected.map(|(index, name)| (index, name.to_owned()))
        );
    }

    fn names_in(wasm: &[u8]) -> Vec<(u32, String)> {
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            let Payload::CustomSection(section) = payload.unwrap() else {
                continue;
            };
            let wasmparser::KnownCustom::Name(subsections) = section.as_known() else {
                continue;
            };
            for subsection in subsections {
                if let wasmparser::Name::Function(map) = subsection.unwrap() {
                    for naming in map {
                        let naming = naming.unwrap();
                        found.push((naming.index, naming.name.to_owned()));
                    }
                }
            }
        }
        found
    }
}
