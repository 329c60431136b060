//! Tests of the architecture: imports go down only, the core has no I/O, clock or logging, and each outside crate is
//! used in one place.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The floor of each module. A module may import only from its own floor and from lower ones.
const FLOORS: &[(u8, &[&str])] = &[
    (0, &["duration", "entry", "feed", "foreign", "hook", "latin", "number", "reason", "rows", "size", "time"]),
    (
        1,
        &[
            "config",
            "link",
            "newsroom",
            "normalize",
            "parse",
            "query",
            "render",
            "rule",
            "schedule",
            "section",
            "story",
            "text",
        ],
    ),
    (2, &["fetch", "files", "store"]),
    (
        3,
        &[
            "cli", "clock", "commit", "daemon", "delivery", "discover", "listen", "poll", "publish", "serve", "shown",
            "status", "trial", "lib", "main",
        ],
    ),
];

/// The modules in which each outside crate may be used.
const PLACES: &[(&str, &[&str])] = &[
    ("feed_rs", &["parse"]),
    ("quick_xml", &["parse", "render", "config"]),
    ("encoding_rs", &["parse"]),
    ("chardetng", &["parse"]),
    ("ammonia", &["normalize"]),
    ("atom_syndication", &["render"]),
    ("rss", &["render"]),
    ("minijinja", &["render"]),
    ("reqwest", &["fetch"]),
    ("rustls", &["fetch"]),
    ("rusqlite", &["store"]),
    ("cron", &["schedule"]),
    ("chrono_tz", &["schedule", "config", "render", "parse"]),
    ("notify", &["files"]),
    ("toml", &["config"]),
    ("toml_edit", &["config"]),
    ("annotate_snippets", &["config"]),
    ("similar", &["config"]),
    ("textwrap", &["text"]),
    ("unicode_segmentation", &["text"]),
    ("psl", &["link"]),
    ("deunicode", &["latin"]),
    ("caseless", &["story"]),
    ("unicode_normalization", &["story"]),
    ("uuid", &["story"]),
    ("axum", &["serve"]),
    ("hyper", &["serve"]),
    ("hyper_util", &["serve"]),
    ("prometheus_client", &["serve"]),
    ("clap", &["cli", "main"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("comfy_table", &["cli"]),
    ("indicatif", &["cli"]),
    ("brotli", &["publish", "fetch"]),
    ("flate2", &["publish", "fetch"]),
    ("zstd", &["publish", "fetch", "store"]),
];

/// What modules of the floors 0 and 1 must not use.
const FORBIDDEN_BELOW_THE_EDGES: &[&str] = &[
    "std::fs",
    "std::net::Tcp",
    "std::env::",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "tokio",
    "tracing",
    "SystemTime::now",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "println!",
    "eprintln!",
    "rand::",
];

struct Source {
    path: PathBuf,
    module: String,
    /// The code without comments.
    code: String,
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    collect(Path::new("src"), &mut files);
    files.sort();
    files.into_iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn read(path: PathBuf) -> Source {
    let first = path.strip_prefix("src").unwrap().components().next().unwrap();
    let module = first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
    let text = fs::read_to_string(&path).unwrap();
    let code = text
        .lines()
        .map(|line| line.find("//").map_or(line, |at| if is_in_text(line, at) { line } else { &line[..at] }));
    let code = code.collect::<Vec<_>>().join("\n");
    Source { path, module, code }
}

/// Returns whether a `//` is inside a string, as in an address.
fn is_in_text(line: &str, at: usize) -> bool {
    line[..at].matches('"').count() % 2 == 1
}

fn floors() -> BTreeMap<&'static str, u8> {
    FLOORS.iter().flat_map(|(floor, modules)| modules.iter().map(move |module| (*module, *floor))).collect()
}

/// Returns the modules that a source imports: `crate::x` and the heads of `crate::{x, y::z}`.
fn imports(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(group.split('}').next().unwrap().split(',').map(str::trim).map(head));
        } else {
            found.push(head(rest));
        }
    }
    found
}

fn head(path: &str) -> &str {
    path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()
}

/// Returns a module's path below the crate, such as `["store", "file"]`; a `mod.rs` has the path of its folder.
fn module_path(file: &Path) -> Vec<String> {
    let names = file.strip_prefix("src").unwrap().with_extension("");
    let names = names.components().map(|name| name.as_os_str().to_str().unwrap().to_owned());
    names.filter(|name| !matches!(name.as_str(), "mod" | "lib")).collect()
}

/// Returns the paths that a source names after `root::`, as segments. A group in braces gives one path per member.
fn paths_from(code: &str, root: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for (at, found) in code.match_indices(&format!("{root}::")) {
        if !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            add_paths(&code[at + found.len()..], Vec::new(), &mut paths);
        }
    }
    paths
}

/// Reads one path, or a group of paths, and returns the rest of the code.
fn add_paths<'c>(code: &'c str, mut path: Vec<String>, paths: &mut Vec<Vec<String>>) -> &'c str {
    let mut code = code.trim_start();
    if let Some(group) = code.strip_prefix('{') {
        code = group.trim_start();
        while !code.is_empty() && !code.starts_with('}') {
            code = add_paths(code, path.clone(), paths);
            code = code.trim_start_matches(|c: char| !matches!(c, ',' | '}'));
            code = code.strip_prefix(',').unwrap_or(code).trim_start();
        }
        return code.strip_prefix('}').unwrap_or(code);
    }
    let segment = head(code);
    path.push(segment.to_owned());
    match code[segment.len()..].strip_prefix("::") {
        Some(rest) if !segment.is_empty() => add_paths(rest, path, paths),
        _ => {
            paths.push(path);
            &code[segment.len()..]
        }
    }
}

/// Returns, for each module, the modules of the same top-level folder that it imports. Leaves out imports between a
/// `mod.rs` and the modules below it, because the `mod.rs` declares those. An import of an item that a `mod.rs`
/// re-exports counts as an import of the module that defines the item.
fn imports_within_folders() -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let sources: BTreeMap<Vec<String>, String> = sources()
        .into_iter()
        .map(|source| (module_path(&source.path), source.code.split("#[cfg(test)]").next().unwrap().to_owned()))
        .collect();
    let mut passed_on: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for (module, code) in sources.iter().filter(|(module, _)| !module.is_empty()) {
        let (name, door) = module.split_last().unwrap();
        let Some(of_door) = sources.get(door) else { continue };
        for line in of_door.split("use ").skip(1).map(|rest| rest.split(';').next().unwrap()) {
            let own = paths_from(line.strip_prefix("self::").unwrap_or(line), name);
            for item in own.into_iter().filter(|path| path.len() == 1 && !code.is_empty()) {
                passed_on.insert([door, &item].concat(), module.clone());
            }
        }
    }
    let mut imports: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (module, code) in &sources {
        let parent = &module[..module.len().saturating_sub(1)];
        let mut absolute = paths_from(code, "crate");
        absolute.extend(paths_from(code, "self").into_iter().map(|path| [module.clone(), path].concat()));
        for path in paths_from(code, "super") {
            let ups = path.iter().take_while(|segment| *segment == "super").count();
            absolute.push([&parent[..parent.len().saturating_sub(ups)], &path[ups..]].concat());
        }
        let targets = absolute.iter().filter_map(|path| {
            let known = (1..=path.len()).rev().map(|length| path[..length].to_vec());
            known
                .into_iter()
                .find_map(|path| sources.contains_key(&path).then(|| path.clone()).or(passed_on.get(&path).cloned()))
        });
        let of_folder = targets.filter(|target| {
            target.first() == module.first() && !target.starts_with(module) && !module.starts_with(target)
        });
        imports.insert(module.clone(), of_folder.collect());
    }
    imports
}

/// Returns every module that a module reaches through imports within its folder.
fn reached<'m>(
    module: &'m Vec<String>,
    imports: &'m BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
) -> BTreeSet<&'m Vec<String>> {
    let mut reached = BTreeSet::new();
    let mut open = vec![module];
    while let Some(next) = open.pop() {
        open.extend(imports[next].iter().filter(|target| reached.insert(*target)));
    }
    reached
}

#[test]
fn files_of_one_folder_do_not_import_each_other_in_a_circle() {
    let imports = imports_within_folders();
    let reached: BTreeMap<_, _> = imports.keys().map(|module| (module, reached(module, &imports))).collect();
    let mut circles = BTreeSet::new();
    for (module, targets) in reached.iter().filter(|(module, targets)| targets.contains(**module)) {
        let circle = targets.iter().filter(|target| reached[**target].contains(*module));
        let circle: Vec<_> = circle.map(|module| format!("src/{}.rs", module.join("/"))).collect();
        circles.insert(circle);
    }
    assert!(
        circles.is_empty(),
        "these files import each other; move what several of them need into a file of its own: {circles:#?}"
    );
}

#[test]
fn every_module_has_a_floor() {
    let floors = floors();
    let homeless: Vec<_> =
        sources().into_iter().filter(|source| !floors.contains_key(source.module.as_str())).map(|s| s.path).collect();
    assert!(
        homeless.is_empty(),
        "give these a floor in tests/architecture.rs and in the map of src/lib.rs: {homeless:?}"
    );
}

#[test]
fn imports_go_down_only() {
    let floors = floors();
    let mut upward = Vec::new();
    for source in sources() {
        let floor = floors[source.module.as_str()];
        for import in imports(&source.code) {
            match floors.get(import) {
                Some(other) if *other > floor => upward.push(format!("{}: crate::{import}", source.path.display())),
                _ => {}
            }
        }
    }
    assert!(upward.is_empty(), "these imports go up to a higher floor: {upward:#?}");
}

#[test]
fn edges_do_not_import_each_other() {
    let edges = FLOORS[2].1;
    let mut crossed = Vec::new();
    for source in sources().into_iter().filter(|source| edges.contains(&source.module.as_str())) {
        for import in imports(&source.code) {
            if edges.contains(&import) && import != source.module {
                crossed.push(format!("{}: crate::{import}", source.path.display()));
            }
        }
    }
    assert!(crossed.is_empty(), "these are imports of one edge by another: {crossed:#?}");
}

#[test]
fn store_imports_only_modules_of_the_lowest_floor() {
    let floors = floors();
    let mut known = Vec::new();
    for source in sources().into_iter().filter(|source| source.module == "store") {
        let code = source.code.split("#[cfg(test)]").next().unwrap();
        for import in imports(code).into_iter().filter(|import| *import != "store") {
            if floors.get(import).is_some_and(|floor| *floor > 0) {
                known.push(format!("{}: crate::{import}", source.path.display()));
            }
        }
    }
    assert!(known.is_empty(), "the store loads rows and writes rows; decide in the core, read in shown: {known:#?}");
}

/// Returns the signatures and fields of the items that `store/mod.rs` exports.
fn public_items_of_the_store() -> Vec<(PathBuf, String)> {
    let door = fs::read_to_string("src/store/mod.rs").unwrap();
    let passed_on: BTreeSet<&str> = door
        .split("pub use ")
        .skip(1)
        .flat_map(|rest| rest.split(';').next().unwrap().split(|c: char| !c.is_alphanumeric()))
        .filter(|name| name.starts_with(char::is_uppercase))
        .chain(["Store", "StoreError", "UpgradeStep"])
        .collect();
    let mut face = Vec::new();
    for source in sources().into_iter().filter(|source| source.module == "store") {
        let code = source.code.split("#[cfg(test)]").next().unwrap();
        let mut is_of_face = false;
        let mut signature: Option<String> = None;
        for line in code.lines() {
            if !line.starts_with(' ') && !line.is_empty() {
                let item = line.trim_start_matches("pub ");
                let of = ["impl ", "impl<'c> ", "struct ", "enum "].iter().find_map(|kind| item.strip_prefix(kind));
                is_of_face = of.is_some_and(|of| passed_on.contains(head(of)));
            }
            let begins = line.starts_with("    pub ");
            if is_of_face && begins {
                signature = Some(String::new());
            }
            if let Some(text) = &mut signature {
                text.push_str(line);
                if line.ends_with(['{', ';', ',']) && text.matches('(').count() == text.matches(')').count() {
                    face.extend(signature.take().map(|text| (source.path.clone(), text)));
                }
            }
        }
    }
    face
}

#[test]
fn public_items_of_the_store_show_neither_its_engine_nor_bare_numbers() {
    let face = public_items_of_the_store();
    assert!(face.len() > 100, "too few signatures were found: {face:#?}");
    let engine = ["rusqlite", "Connection", "ToSql", "i64"];
    let shown = face.iter().filter(|(_, signature)| engine.iter().any(|word| signature.contains(word)));
    let shown: Vec<_> = shown.collect();
    assert!(shown.is_empty(), "give these a type of their own: {shown:#?}");
    // A public item may name a file if it opens or copies a store.
    let files = face.iter().filter(|(path, signature)| {
        signature.contains("Path") && !["mod.rs", "read.rs", "backup.rs"].iter().any(|file| path.ends_with(file))
    });
    let files: Vec<_> = files.collect();
    assert!(files.is_empty(), "only items that open or copy a store may name files: {files:#?}");
}

#[test]
fn core_has_no_io_no_clock_and_no_logging() {
    let floors = floors();
    let mut found = Vec::new();
    for source in sources().into_iter().filter(|source| floors[source.module.as_str()] < 2) {
        let code = source.code.split("#[cfg(test)]").next().unwrap();
        for forbidden in FORBIDDEN_BELOW_THE_EDGES.iter().filter(|forbidden| code.contains(**forbidden)) {
            found.push(format!("{}: {forbidden}", source.path.display()));
        }
    }
    assert!(found.is_empty(), "modules of the floors 0 and 1 must not use these: {found:#?}");
}

#[test]
fn each_outside_crate_is_used_only_where_it_may_be() {
    let mut strayed = Vec::new();
    for source in sources() {
        for (outside, places) in PLACES.iter().filter(|(_, places)| !places.contains(&source.module.as_str())) {
            let named = format!("{outside}::");
            let is_named = source
                .code
                .match_indices(&named)
                .any(|(at, _)| !source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'));
            if is_named {
                strayed.push(format!("{}: {outside} belongs in {places:?}", source.path.display()));
            }
        }
    }
    assert!(strayed.is_empty(), "{strayed:#?}");
}

/// Two types with one name would be confused. Only `Args` may be repeated, because each command has a type `Args`.
#[test]
fn no_two_types_have_one_name() {
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for source in &sources() {
        for line in source.code.split("#[cfg(test)]").next().unwrap().lines() {
            let item = line.strip_prefix("pub").map_or(line, |rest| rest.trim_start_matches(|c| c != ' ').trim_start());
            let named = ["struct ", "enum ", "trait ", "type "].iter().find_map(|kind| item.strip_prefix(kind));
            if let Some(name) = named.map(head).filter(|name| *name != "Args") {
                places.entry(name.to_owned()).or_default().push(source.path.clone());
            }
        }
    }
    places.retain(|_, places| places.len() > 1);
    assert!(places.is_empty(), "give each of these a name of its own: {places:#?}");
}

/// If the search for the next time of a schedule never ended, the feed would never be polled again, and no error would
/// be shown. So each search has a fixed maximum of steps.
#[test]
fn searches_of_the_schedule_are_bounded() {
    let mut found = Vec::new();
    for source in sources().into_iter().filter(|source| source.module == "schedule") {
        let code = source.code.split("#[cfg(test)]").next().unwrap();
        for forbidden in ["loop {", "while ", "iter::repeat"].iter().filter(|forbidden| code.contains(**forbidden)) {
            found.push(format!("{}: {forbidden}", source.path.display()));
        }
        let unbounded = code.split("successors(").skip(1).filter(|rest| !rest.contains(".take("));
        found.extend(unbounded.map(|_| format!("{}: successors without take", source.path.display())));
    }
    assert!(found.is_empty(), "write these as a `for` over a known number of steps: {found:#?}");
}

#[test]
fn every_source_file_begins_with_module_documentation() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|source| !fs::read_to_string(&source.path).unwrap().starts_with("//!"))
        .map(|source| source.path)
        .collect();
    assert!(silent.is_empty(), "these have no module documentation: {silent:?}");
}

#[test]
fn tests_open_databases_only_in_one_file() {
    let mut files = Vec::new();
    collect(Path::new("tests/it"), &mut files);
    let opens = |path: &PathBuf| fs::read_to_string(path).unwrap().contains("rusqlite::");
    let found: Vec<_> = files.into_iter().filter(opens).collect();
    assert_eq!(found, [Path::new("tests/it/support/sql.rs")], "call `support::sql` instead");
}
