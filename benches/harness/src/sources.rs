//! What a source file contains: lines of code, `unsafe` sites, and what the crate declares.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};

/// A parsed file.
#[derive(Clone)]
pub struct SourceFile {
    file: syn::File,
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceFile").field("items", &self.file.items.len()).finish_non_exhaustive()
    }
}

impl SourceFile {
    /// # Errors
    ///
    /// When the text is not valid Rust; the message says where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file = syn::parse_file(text).map_err(|error| format!("line {}: {error}", error.span().start().line))?;
        Ok(Self { file })
    }

    /// The same without the items that are marked `#[cfg(test)]`, in modules and `impl` blocks, too. Other conditions
    /// are not evaluated, and the tokens passed to a macro are kept as they are.
    pub fn without_tests(mut self) -> Self {
        remove_tests(&mut self.file.items);
        self
    }

    /// The number of lines with code: neither blank lines, nor comments, nor documentation.
    pub fn lines(&self) -> usize {
        let mut lines = BTreeSet::new();
        add_lines(self.file.to_token_stream(), &mut lines);
        lines.len()
    }

    /// The `unsafe` sites, by item.
    pub fn unsafe_sites(&self) -> BTreeMap<String, Counts> {
        let mut search = Search::default();
        search.visit_file(&self.file);
        search.sites
    }

    /// The attribute with which the crate of this root declares that it works without std, if it does: always, or under
    /// the condition that the attribute names.
    pub fn declares_no_std(&self) -> Option<String> {
        let words = |attribute: &syn::Attribute| attribute.meta.to_token_stream();
        let found = self.file.attrs.iter().find(|attribute| {
            let path = attribute.path();
            path.is_ident("no_std") || path.is_ident("cfg_attr") && names(words(attribute), "no_std") > 0
        });
        // As rustfmt would write it.
        found.map(|attribute| {
            let text = format!("#![{}]", words(attribute));
            [(" (", "("), ("( ", "("), (" )", ")"), (" ,", ",")]
                .iter()
                .fold(text, |text, (from, to)| text.replace(from, to))
        })
    }
}

fn remove_tests(items: &mut Vec<syn::Item>) {
    items.retain(|item| !attributes(item).iter().any(is_test));
    for item in items {
        match item {
            syn::Item::Mod(module) => {
                if let Some((_, items)) = &mut module.content {
                    remove_tests(items);
                }
            }
            syn::Item::Impl(block) => block.items.retain(|item| match item {
                syn::ImplItem::Fn(function) => !function.attrs.iter().any(is_test),
                _ => true,
            }),
            _ => {}
        }
    }
}

fn is_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::ExternCrate(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::ForeignMod(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::TraitAlias(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Union(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn add_lines(tokens: TokenStream, lines: &mut BTreeSet<usize>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut rest = &tokens[..];
    while let [first, after @ ..] = rest {
        if let Some(length) = documentation(rest) {
            rest = &rest[length..];
            continue;
        }
        match first {
            TokenTree::Group(group) => {
                // A delimiter that is not in the text has no position.
                if group.delimiter() != Delimiter::None {
                    add(group.span_open(), lines);
                    add(group.span_close(), lines);
                }
                add_lines(group.stream(), lines);
            }
            token => add(token.span(), lines),
        }
        rest = after;
    }
}

fn add(span: Span, lines: &mut BTreeSet<usize>) {
    // A string literal may span several lines.
    lines.extend(span.start().line..=span.end().line);
}

/// How many tokens at the beginning are a doc comment, which a parser sees as `#[doc = ".."]`.
fn documentation(tokens: &[TokenTree]) -> Option<usize> {
    let is = |token: &TokenTree, wanted: char| matches!(token, TokenTree::Punct(found) if found.as_char() == wanted);
    let is_text = |group: &Group| {
        let inside: Vec<_> = group.stream().into_iter().collect();
        matches!(&inside[..], [TokenTree::Ident(name), equals, TokenTree::Literal(_)] if name == "doc" && is(equals, '='))
    };
    match tokens {
        [hash, TokenTree::Group(group), ..] if is(hash, '#') && is_text(group) => Some(2),
        [hash, bang, TokenTree::Group(group), ..] if is(hash, '#') && is(bang, '!') && is_text(group) => Some(3),
        _ => None,
    }
}

#[derive(Default)]
struct Search {
    path: Vec<String>,
    sites: BTreeMap<String, Counts>,
}

/// The `unsafe` sites of one item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    functions: usize,
    impls: usize,
    externs: usize,
    attributes: usize,
    blocks: usize,
    in_macros: usize,
}

impl Counts {
    /// The number of sites of any kind.
    pub fn total(&self) -> usize {
        self.functions + self.impls + self.externs + self.attributes + self.blocks + self.in_macros
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
        let count = names(called.tokens.clone(), "unsafe");
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

/// How often a word occurs in the tokens passed to a macro. (`unsafe` in a type, such as `unsafe fn(..)`, promises and
/// does nothing, but is counted, because it is unknown what the macro makes of the type.)
fn names(tokens: TokenStream, wanted: &str) -> usize {
    let each = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(word) => usize::from(word == wanted),
        TokenTree::Group(group) => names(group.stream(), wanted),
        _ => 0,
    });
    each.sum()
}

#[cfg(test)]
mod tests {
    use super::SourceFile;

    fn parsed(text: &str) -> SourceFile {
        SourceFile::parse(text).expect("it is Rust")
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
        let sites = parsed(text).unsafe_sites();
        let shown: Vec<_> = sites.iter().map(|(item, counts)| format!("{item}: {counts}")).collect();
        assert_eq!(
            shown,
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
        assert_eq!(sites.values().map(super::Counts::total).sum::<usize>(), 11);
    }

    #[test]
    fn lines_are_those_with_code_on_them() {
        let text = "//! Documentation.
#![no_std]

/// More of it,
/// on two lines.
fn f() { // behind code
    // alone
    let text = \"one
two\"; /* a comment
    over two lines */
}

/** And a block. */
#[doc(hidden)]
pub struct S;
";
        // The attribute, `fn`, two of the string, the brace, `#[doc(hidden)]`, the struct.
        assert_eq!(parsed(text).lines(), 7);
    }

    #[test]
    fn what_only_tests_see_can_be_left_out() {
        let text = "fn f() {}
mod inner {
    #[cfg(test)]
    fn g() { unsafe { h() } }
    struct S;
    impl S {
        #[cfg(test)]
        fn i() {}
    }
}
#[cfg(test)]
mod tests { fn j() { unsafe { h() } } }
#[cfg(not(test))]
fn k() { unsafe { h() } }
";
        let file = parsed(text);
        assert_eq!((file.lines(), file.unsafe_sites().len()), (14, 3));
        let file = file.without_tests();
        assert_eq!((file.lines(), file.unsafe_sites().len()), (8, 1));
    }

    #[test]
    fn no_std_is_found_with_its_condition() {
        let declared = |text: &str| parsed(text).declares_no_std();
        assert_eq!(declared("#![no_std] fn f() {}").as_deref(), Some("#![no_std]"));
        let conditional = declared("#![cfg_attr(not(feature = \"std\"), no_std)]");
        assert_eq!(conditional.as_deref(), Some("#![cfg_attr(not(feature = \"std\"), no_std)]"));
        assert_eq!(declared("#![cfg_attr(docsrs, feature(doc_cfg))] //! Is no_std, it says."), None);
    }

    #[test]
    fn what_is_no_rust_is_an_error_with_its_line() {
        let why = SourceFile::parse("fn f() {}\nfn {").expect_err("it is none");
        assert!(why.starts_with("line 2: "), "{why}");
    }
}
