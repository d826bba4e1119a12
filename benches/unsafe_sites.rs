//! `docs/unsafe.md` lists every `unsafe` of the workspace: no site without an entry, no entry without a site.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use benches::pages::{cells, page};
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// What is unsafe about an item, such as `2 blocks`, by file and item.
type Sites = BTreeMap<(String, String), String>;

#[test]
fn every_unsafe_site_is_listed() {
    let listed = listed(&fs::read_to_string(page("docs/unsafe.md")).expect("the page can be read"));
    let found = found();
    let mut difference = String::new();
    for ((file, item), what) in &found {
        match listed.get(&(file.clone(), item.clone())) {
            Some(known) if known == what => {}
            Some(known) => difference.push_str(&format!("{file}: `{item}` has {what}; the page says {known}\n")),
            None => difference.push_str(&format!("{file}: `{item}` has {what}, and no entry\n")),
        }
    }
    for (file, item) in listed.keys().filter(|site| !found.contains_key(*site)) {
        difference.push_str(&format!("{file}: `{item}` has an entry, and nothing unsafe in it\n"));
    }
    assert!(difference.is_empty(), "docs/unsafe.md does not list what is in the code\n{difference}");
}

#[test]
fn the_search_sees_every_kind_of_site() {
    let text = "
        unsafe impl Send for A {}
        trait T { unsafe fn promised(&self); unsafe fn given(&self) { unsafe { f() } } }
        impl A { fn method(&self) { let closure = || unsafe { f() }; unsafe { f() }; } }
        mod inner { unsafe extern \"C\" { fn f(); } }
        macro_rules! m { () => { unsafe { f() } } }
        #[unsafe(no_mangle)] fn named() { println!(\"{}\", unsafe { f() }); }
        static X: fn() = || unsafe { f() };
    ";
    let sites: Vec<_> = search(text).into_iter().map(|(item, what)| format!("{item}: {what}")).collect();
    assert_eq!(
        sites,
        [
            "A::method: 2 blocks",
            "T::given: fn, 1 block",
            "T::promised: fn",
            "X: 1 block",
            "impl Send for A: impl",
            "inner: extern",
            "macro m: 1 in a macro",
            "named: attribute, 1 in a macro",
        ]
    );
}

/// What the page lists: in a section, headed by one or more files, a table whose first two columns are the item and what is
/// unsafe.
fn listed(page: &str) -> Sites {
    let (mut sites, mut files) = (Sites::new(), Vec::new());
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            files = heading.split('`').filter(|part| part.ends_with(".rs")).collect();
        } else if line.starts_with("| `") {
            let row = cells(line);
            for file in &files {
                let site = ((*file).to_owned(), row[0].trim_matches('`').to_owned());
                let before = sites.insert(site, row[1].to_owned());
                assert!(before.is_none(), "docs/unsafe.md lists {} of {file} twice", row[0]);
            }
            assert!(row.len() == 5 && row.iter().all(|cell| !cell.is_empty()), "an entry is not complete: {line}");
        }
    }
    sites
}

/// What the sources hold.
fn found() -> Sites {
    let root = page("");
    let mut files = Vec::new();
    for folder in ["crates", "benches"] {
        collect(&root.join(folder), &mut files);
    }
    assert!(files.len() > 50, "the sources are where they are looked for");
    let mut sites = Sites::new();
    for path in files {
        let name = path.strip_prefix(&root).expect("it is in the workspace").display().to_string();
        let text = fs::read_to_string(&path).expect("a source can be read");
        for (item, what) in search(&text) {
            sites.insert((name.clone(), item), what);
        }
    }
    sites
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn search(text: &str) -> BTreeMap<String, String> {
    let mut search = Search::default();
    search.visit_file(&syn::parse_file(text).expect("a source is Rust"));
    search.sites.into_iter().map(|(item, counts)| (item, counts.to_string())).collect()
}

#[derive(Default)]
struct Search {
    path: Vec<String>,
    sites: BTreeMap<String, Counts>,
}

#[derive(Default)]
struct Counts {
    functions: usize,
    impls: usize,
    externs: usize,
    attributes: usize,
    blocks: usize,
    in_macros: usize,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        let mut named = |count: usize, name: &str| match count {
            0 => {}
            1 => parts.push(name.to_owned()),
            _ => parts.push(format!("{count} {name}")),
        };
        named(self.attributes, "attribute");
        named(self.externs, "extern");
        named(self.impls, "impl");
        named(self.functions, "fn");
        match self.blocks {
            0 => {}
            1 => parts.push("1 block".to_owned()),
            blocks => parts.push(format!("{blocks} blocks")),
        }
        if self.in_macros > 0 {
            parts.push(format!("{} in a macro", self.in_macros));
        }
        f.write_str(&parts.join(", "))
    }
}

impl Search {
    fn here(&mut self) -> &mut Counts {
        self.sites.entry(self.path.join("::")).or_default()
    }

    fn inside(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        self.path.push(name);
        visit(self);
        self.path.pop();
    }

    fn function(&mut self, signature: &syn::Signature, visit: impl FnOnce(&mut Self)) {
        self.inside(signature.ident.to_string(), |search| {
            if signature.unsafety.is_some() {
                search.here().functions += 1;
            }
            visit(search);
        });
    }
}

/// The last part of a type's name.
fn name(kind: &syn::Type) -> String {
    match kind {
        syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        _ => "_".to_owned(),
    }
}

impl<'a> Visit<'a> for Search {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        self.inside(item.ident.to_string(), |search| visit::visit_item_mod(search, item));
    }

    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        self.inside(item.ident.to_string(), |search| visit::visit_item_trait(search, item));
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        let of = name(&item.self_ty);
        if item.unsafety.is_some() {
            let of_trait = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last());
            let of_trait = of_trait.map(|last| last.ident.to_string()).unwrap_or_default();
            self.inside(format!("impl {of_trait} for {of}"), |search| search.here().impls += 1);
        }
        self.inside(of, |search| visit::visit_item_impl(search, item));
    }

    fn visit_item_foreign_mod(&mut self, item: &'a syn::ItemForeignMod) {
        if item.unsafety.is_some() {
            self.here().externs += 1;
        }
        visit::visit_item_foreign_mod(self, item);
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.function(&item.sig, |search| visit::visit_item_fn(search, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.function(&item.sig, |search| visit::visit_impl_item_fn(search, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        self.function(&item.sig, |search| visit::visit_trait_item_fn(search, item));
    }

    fn visit_item_static(&mut self, item: &'a syn::ItemStatic) {
        self.inside(item.ident.to_string(), |search| visit::visit_item_static(search, item));
    }

    fn visit_item_const(&mut self, item: &'a syn::ItemConst) {
        self.inside(item.ident.to_string(), |search| visit::visit_item_const(search, item));
    }

    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        let name = item.ident.as_ref().map(|name| format!("macro {name}"));
        match name {
            Some(name) => self.inside(name, |search| visit::visit_item_macro(search, item)),
            None => visit::visit_item_macro(self, item),
        }
    }

    fn visit_macro(&mut self, called: &'a syn::Macro) {
        let count = count(called.tokens.clone());
        if count > 0 {
            self.here().in_macros += count;
        }
    }

    fn visit_attribute(&mut self, attribute: &'a syn::Attribute) {
        if attribute.path().is_ident("unsafe") {
            self.here().attributes += 1;
        }
    }

    fn visit_expr_unsafe(&mut self, block: &'a syn::ExprUnsafe) {
        self.here().blocks += 1;
        visit::visit_expr_unsafe(self, block);
    }
}

/// How often the word stands in what is handed to a macro. (In a type, as in `unsafe fn(..)`, it promises and does nothing.)
fn count(tokens: TokenStream) -> usize {
    let each = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(word) => usize::from(word == "unsafe"),
        TokenTree::Group(group) => count(group.stream()),
        _ => 0,
    });
    each.sum()
}
