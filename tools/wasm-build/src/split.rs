//! Splits a wasm file in two: what a page needs at once, and functions that it loads later.
//!
//! Both parts share one memory, one table and one stack, so that the later functions are ordinary Rust that is called
//! like any other. In the first part a stub stands for each of them that is called from there: it sees to it that the
//! second part is loaded, once, and goes on in it through a slot of the table. The second part imports from the first
//! whatever it uses, and fills the slots when it is instantiated. Static data all stays in the first part.
//!
//! Later are the functions whose names contain one of the given module paths, and all that only they call.

use std::collections::{BTreeMap, BTreeSet};

use rustc_demangle::demangle;
use thiserror::Error;
use walrus::ir::{UnaryOp, Value, Visitor, dfs_in_order};
use walrus::{
    ConstExpr, ElementItems, ElementKind, ExportItem, FunctionBuilder, FunctionId, FunctionKind,
    GlobalKind, ImportId, ImportKind, ImportedFunction, Module, ModuleConfig, TableId, ValType,
};

/// What the second part calls the module that it imports from.
const FIRST: &str = "first";
/// What the names of exports made here begin with; nobody else gives such names.
const MARK: char = '~';

/// Why a file could not be split.
#[derive(Debug, Error)]
pub(crate) enum SplitError {
    /// It is no module, or one of a kind that is not understood.
    #[error("it could not be read: {0}")]
    Unreadable(String),
    /// Nothing in it loads the second part.
    #[error("it exports no function \"{0}\", which would load the second part")]
    NoLoader(String),
    /// No function bears one of the paths.
    #[error("no function's name contains one of {0:?}; are names stripped from it?")]
    NothingLater(Vec<String>),
    /// It has no table, so functions cannot be called across parts.
    #[error("it has no table of functions")]
    NoTable,
}

/// The two files.
pub(crate) struct Parts {
    /// What a page instantiates first.
    pub(crate) first: Vec<u8>,
    /// What the loader instantiates, with the first part's exports as its imports from the module "first".
    pub(crate) later: Vec<u8>,
}

/// A function's place among all functions of the module: the same in both parts as long as nothing is taken out.
type Place = usize;

/// Splits a module that still has its names. Later functions are those whose names contain one of `paths`, as
/// `nanonet::onion`; `loader` names the exported function, without parameters, that has the second part instantiated.
pub(crate) fn split(wasm: &[u8], paths: &[String], loader: &str) -> Result<Parts, SplitError> {
    let mut first = parse(wasm)?;
    let loader = match first.exports.get_func(loader) {
        Ok(function) => function,
        Err(_) => return Err(SplitError::NoLoader(loader.into())),
    };
    let table = match first.tables.main_function_table() {
        Ok(Some(table)) => table,
        _ => return Err(SplitError::NoTable),
    };
    let later = Later::of(&first, paths)?;
    let base = i32::try_from(first.tables.get(table).initial).map_err(|_| SplitError::NoTable)?;
    let (second, needed) = later_part(parse(wasm)?, &later, base)?;
    // Both parts were read from the same bytes, so that places name the same items.
    let functions: Vec<_> = first.funcs.iter().map(|it| it.id()).collect();
    let memories: Vec<_> = first.memories.iter().map(|it| it.id()).collect();
    let tables: Vec<_> = first.tables.iter().map(|it| it.id()).collect();
    let globals: Vec<_> = first.globals.iter().map(|it| it.id()).collect();
    for (name, item) in needed {
        let item = match item {
            Needed::Function(place) => ExportItem::Function(functions[place]),
            Needed::Memory(place) => ExportItem::Memory(memories[place]),
            Needed::Table(place) => ExportItem::Table(tables[place]),
            Needed::Global(place) => ExportItem::Global(globals[place]),
        };
        first.exports.add(&name, item);
    }
    let entries = later.entries.iter().map(|&place| functions[place]);
    stubs(&mut first, entries, loader, table, base);
    Ok(Parts {
        first: emitted(first),
        later: emitted(second),
    })
}

fn parse(wasm: &[u8]) -> Result<Module, SplitError> {
    ModuleConfig::new()
        .generate_name_section(false)
        .generate_producers_section(false)
        .parse(wasm)
        .map_err(|error| SplitError::Unreadable(format!("{error:#}")))
}

fn emitted(mut module: Module) -> Vec<u8> {
    walrus::passes::gc::run(&mut module);
    module.emit_wasm()
}

/// Which functions are later.
struct Later {
    functions: BTreeSet<Place>,
    /// Those of them that the first part calls or that stand in its table, in order.
    entries: Vec<Place>,
}

impl Later {
    fn of(module: &Module, paths: &[String]) -> Result<Later, SplitError> {
        let named: BTreeSet<FunctionId> = module
            .funcs
            .iter_local()
            .map(|(id, _)| id)
            .filter(|&id| {
                let name = module.funcs.get(id).name.as_deref().unwrap_or_default();
                let name = format!("{:#}", demangle(name));
                paths.iter().any(|path| name.contains(path))
            })
            .collect();
        if named.is_empty() {
            return Err(SplitError::NothingLater(paths.to_vec()));
        }
        // Everything that is reached without a function that is named.
        let mut reached = BTreeSet::new();
        let mut entries = BTreeSet::new();
        let mut left = roots(module);
        while let Some(function) = left.pop() {
            if named.contains(&function) {
                entries.insert(function);
            } else if reached.insert(function) {
                left.extend(called(module, function));
            }
        }
        let mut later = Later {
            functions: BTreeSet::new(),
            entries: Vec::new(),
        };
        for (place, function) in module.funcs.iter().enumerate() {
            let id = function.id();
            let local = matches!(function.kind, FunctionKind::Local(_));
            if local && !reached.contains(&id) {
                later.functions.insert(place);
            }
            if entries.contains(&id) {
                later.entries.push(place);
            }
        }
        Ok(later)
    }
}

/// Functions that are used by other things than functions.
fn roots(module: &Module) -> Vec<FunctionId> {
    let exported = module
        .exports
        .iter()
        .filter_map(|export| match export.item {
            ExportItem::Function(function) => Some(function),
            _ => None,
        });
    let elements = module
        .elements
        .iter()
        .flat_map(|element| match &element.items {
            ElementItems::Functions(functions) => functions.clone(),
            ElementItems::Expressions(_, expressions) => expressions
                .iter()
                .filter_map(|expression| match expression {
                    ConstExpr::RefFunc(function) => Some(*function),
                    _ => None,
                })
                .collect(),
        });
    exported.chain(elements).chain(module.start).collect()
}

/// The functions that one names in its code.
fn called(module: &Module, function: FunctionId) -> Vec<FunctionId> {
    struct Calls(Vec<FunctionId>);
    impl<'code> Visitor<'code> for Calls {
        fn visit_function_id(&mut self, &function: &FunctionId) {
            self.0.push(function);
        }
    }
    let mut calls = Calls(Vec::new());
    if let FunctionKind::Local(local) = &module.funcs.get(function).kind {
        dfs_in_order(&mut calls, local, local.entry_block());
    }
    calls.0
}

/// Puts a stub in the place of every function that is entered from the first part.
fn stubs(
    module: &mut Module,
    entries: impl ExactSizeIterator<Item = FunctionId>,
    loader: FunctionId,
    table: TableId,
    base: i32,
) {
    let count = entries.len() as u64;
    let slots = module.tables.get_mut(table);
    slots.initial += count;
    slots.maximum = slots.maximum.map(|maximum| maximum + count);
    let zero = ConstExpr::Value(Value::I32(0));
    let loaded = module.globals.add_local(ValType::I32, true, false, zero);
    let mut load = FunctionBuilder::new(&mut module.types, &[], &[]);
    load.func_body()
        .global_get(loaded)
        .unop(UnaryOp::I32Eqz)
        .if_else(
            None,
            |then| {
                then.call(loader).i32_const(1).global_set(loaded);
            },
            |_| {},
        );
    let load = load.finish(Vec::new(), &mut module.funcs);
    for (slot, entry) in (base..).zip(entries) {
        let signature = module.funcs.get(entry).ty();
        let kind = module.types.get(signature);
        let (params, results) = (kind.params().to_vec(), kind.results().to_vec());
        let args: Vec<_> = params
            .iter()
            .map(|&param| module.locals.add(param))
            .collect();
        let mut stub = FunctionBuilder::new(&mut module.types, &params, &results);
        let mut body = stub.func_body();
        body.call(load);
        for &arg in &args {
            body.local_get(arg);
        }
        body.i32_const(slot).call_indirect(signature, table);
        module.funcs.get_mut(entry).kind = FunctionKind::Local(stub.local_func(args));
    }
}

/// What the second part takes from the first.
enum Needed {
    Function(Place),
    Memory(Place),
    Table(Place),
    Global(Place),
}

/// Makes the second part of the whole module: all but the later functions is imported. Returns with it what it imports,
/// by name.
fn later_part(
    mut module: Module,
    later: &Later,
    base: i32,
) -> Result<(Module, Vec<(String, Needed)>), SplitError> {
    bare(&mut module);
    let functions: Vec<_> = module.funcs.iter().map(|function| function.id()).collect();
    let mut needed = BTreeMap::<ImportId, Needed>::new();
    for (place, &id) in functions.iter().enumerate() {
        if later.functions.contains(&place) {
            continue;
        }
        let import = match &module.funcs.get(id).kind {
            FunctionKind::Import(imported) => imported.import,
            _ => {
                let ty = module.funcs.get(id).ty();
                let import = module.imports.add(FIRST, "", ImportKind::Function(id));
                module.funcs.get_mut(id).kind =
                    FunctionKind::Import(ImportedFunction { import, ty });
                import
            }
        };
        needed.insert(import, Needed::Function(place));
    }
    for (place, memory) in module.memories.iter_mut().enumerate() {
        let id = memory.id();
        let add = || module.imports.add(FIRST, "", ImportKind::Memory(id));
        needed.insert(
            *memory.import.get_or_insert_with(add),
            Needed::Memory(place),
        );
    }
    for (place, table) in module.tables.iter_mut().enumerate() {
        let id = table.id();
        let add = || module.imports.add(FIRST, "", ImportKind::Table(id));
        needed.insert(*table.import.get_or_insert_with(add), Needed::Table(place));
        // Its size is the first part's affair.
        table.maximum = None;
    }
    let globals: Vec<_> = module.globals.iter().map(|global| global.id()).collect();
    for (place, id) in globals.into_iter().enumerate() {
        let global = module.globals.get_mut(id);
        let import = match global.kind {
            GlobalKind::Import(import) => import,
            // A constant is as well copied.
            GlobalKind::Local(_) if !global.mutable => continue,
            GlobalKind::Local(_) => {
                let import = module.imports.add(FIRST, "", ImportKind::Global(id));
                global.kind = GlobalKind::Import(import);
                import
            }
        };
        needed.insert(import, Needed::Global(place));
    }
    let table = module
        .tables
        .main_function_table()
        .ok()
        .flatten()
        .ok_or(SplitError::NoTable)?;
    let offset = ConstExpr::Value(Value::I32(base));
    let entries = later
        .entries
        .iter()
        .map(|&place| functions[place])
        .collect();
    let element = module.elements.add(
        ElementKind::Active { table, offset },
        ElementItems::Functions(entries),
    );
    module.tables.get_mut(table).elem_segments.insert(element);
    walrus::passes::gc::run(&mut module);
    let mut named = Vec::new();
    for (number, import) in module.imports.iter_mut().enumerate() {
        // Every import was seen or made above.
        let Some(needed) = needed.remove(&import.id()) else {
            continue;
        };
        import.module = FIRST.into();
        import.name = format!("{MARK}{number}");
        named.push((import.name.clone(), needed));
    }
    Ok((module, named))
}

/// Takes out everything but functions and what they use.
fn bare(module: &mut Module) {
    module.start = None;
    let exports: Vec<_> = module.exports.iter().map(|export| export.id()).collect();
    exports
        .into_iter()
        .for_each(|export| module.exports.delete(export));
    let elements: Vec<_> = module.elements.iter().map(|element| element.id()).collect();
    elements
        .into_iter()
        .for_each(|element| module.elements.delete(element));
    module
        .tables
        .iter_mut()
        .for_each(|table| table.elem_segments.clear());
    let data: Vec<_> = module.data.iter().map(|data| data.id()).collect();
    data.into_iter().for_each(|data| module.data.delete(data));
    module
        .memories
        .iter_mut()
        .for_each(|memory| memory.data_segments.clear());
    let customs: Vec<_> = module.customs.iter().map(|(id, _)| id).collect();
    for custom in customs {
        module.customs.delete(custom);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use wasm_encoder::{
        CodeSection, ConstExpr as Constant, ElementSection, Elements, EntityType, ExportKind,
        ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection,
        MemorySection, MemoryType, Module as Encoder, NameMap, NameSection, RefType, TableSection,
        TableType, TypeSection, ValType as Type,
    };

    use super::*;

    /// `run(x)` is `late(x) + 1`; `late(x)` is `only(x) * 2`, and counts its calls in a global and in memory;
    /// `only(x)` is `shared(x) + 100`; `shared(x)` is `x + 1000`, and `run` calls it too. The table's one slot holds
    /// `spare`, which is late as well.
    fn program() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        types.ty().function([Type::I32], [Type::I32]);
        let mut imports = ImportSection::new();
        imports.import("page", "load", EntityType::Function(0));
        let mut functions = FunctionSection::new();
        for kind in [0, 1, 1, 1, 1, 1, 1] {
            functions.function(kind);
        }
        let mut tables = TableSection::new();
        tables.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: 1,
            maximum: Some(1),
            shared: false,
        });
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut globals = GlobalSection::new();
        let mutable = GlobalType {
            val_type: Type::I32,
            mutable: true,
            shared: false,
        };
        globals.global(mutable, &Constant::i32_const(0));
        let mut exports = ExportSection::new();
        exports
            .export("load", ExportKind::Func, 1)
            .export("run", ExportKind::Func, 2)
            .export("by_table", ExportKind::Func, 7)
            .export("count", ExportKind::Global, 0)
            .export("memory", ExportKind::Memory, 0);
        let mut elements = ElementSection::new();
        let slots = Elements::Functions([6_u32][..].into());
        elements.active(None, &Constant::i32_const(0), slots);
        let mut code = CodeSection::new();
        let mut function = |write: &dyn Fn(&mut Function)| {
            let mut function = Function::new([]);
            write(&mut function);
            function.instructions().end();
            code.function(&function);
        };
        let place = wasm_encoder::MemArg {
            offset: 8,
            align: 2,
            memory_index: 0,
        };
        function(&|load| {
            load.instructions().call(0);
        });
        function(&|run| {
            run.instructions().local_get(0).call(5).drop();
            run.instructions()
                .local_get(0)
                .call(3)
                .i32_const(1)
                .i32_add();
        });
        function(&|late| {
            late.instructions()
                .global_get(0)
                .i32_const(1)
                .i32_add()
                .global_set(0);
            late.instructions()
                .i32_const(0)
                .global_get(0)
                .i32_store(place);
            late.instructions()
                .local_get(0)
                .call(4)
                .i32_const(2)
                .i32_mul();
        });
        function(&|only| {
            only.instructions()
                .local_get(0)
                .call(5)
                .i32_const(100)
                .i32_add();
        });
        function(&|shared| {
            shared.instructions().local_get(0).i32_const(1000).i32_add();
        });
        function(&|spare| {
            spare.instructions().local_get(0).i32_const(7).i32_mul();
        });
        function(&|by_table| {
            by_table
                .instructions()
                .local_get(0)
                .i32_const(0)
                .call_indirect(0, 1);
        });
        let mut names = NameMap::new();
        let given = [
            "load",
            "run",
            "app::late::twice",
            "app::only",
            "app::shared",
        ];
        for (index, name) in (1..).zip(given) {
            names.append(index, name);
        }
        names.append(6, "app::late::spare");
        let mut section = NameSection::new();
        section.functions(&names);
        let mut module = Encoder::new();
        module
            .section(&types)
            .section(&imports)
            .section(&functions)
            .section(&tables)
            .section(&memories)
            .section(&globals)
            .section(&exports)
            .section(&elements)
            .section(&code)
            .section(&section);
        module.finish()
    }

    fn parts(path: &str) -> Result<Parts, SplitError> {
        split(&program(), &[path.to_owned()], "load")
    }

    #[test]
    fn the_parts_together_do_what_the_whole_did_and_the_second_is_loaded_once() {
        let parts = parts("app::late::").unwrap();
        let script = format!(
            "const bytes = (hex) => Buffer.from(hex, 'hex');
            let loads = 0, exports;
            const load = () => {{
                loads++;
                new WebAssembly.Instance(new WebAssembly.Module(bytes('{}')), {{ first: exports }});
            }};
            ({{ exports }} = new WebAssembly.Instance(new WebAssembly.Module(bytes('{}')), {{ page: {{ load }} }}));
            const {} = exports;
            const before = loads;
            const results = [run(5), run(6), by_table(3)];
            const counted = new Int32Array(memory.buffer)[2];
            console.log(JSON.stringify([before, ...results, loads, count.value, counted]));",
            hex::encode(parts.later),
            hex::encode(parts.first),
            "{ run, by_table, count, memory }",
        );
        let output = Command::new("node").args(["-e", &script]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let problem = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(text.trim(), "[0,2211,2213,21,1,2,2]", "{problem}");
    }

    #[test]
    fn what_only_later_functions_call_is_later_too() {
        let module = parse(&program()).unwrap();
        let later = Later::of(&module, &["app::late::".to_owned()]).unwrap();
        assert_eq!(later.functions, BTreeSet::from([3, 4, 6]));
        assert_eq!(later.entries, [3, 6]);
    }

    #[test]
    fn a_path_that_no_function_bears_is_named() {
        let error = parts("app::gone").err().unwrap();
        assert!(error.to_string().contains("app::gone"), "{error}");
    }

    #[test]
    fn a_module_that_cannot_load_its_second_part_is_refused() {
        let error = split(&program(), &["app::late".to_owned()], "fetch")
            .err()
            .unwrap();
        assert!(matches!(error, SplitError::NoLoader(name) if name == "fetch"));
    }
}
