//! Builds the elements of a document from tokens, one field at a time. A field is an element of a feed or entry, such
//! as a title.
//!
//! The elements around the fields (root, channel, entries) are only passed through, so that no document is held in
//! memory as a tree. A field is read with everything in it. An unclosed element ends where its parent ends. If an
//! unclosed field has swallowed the fields after it, these are split off again (see [`Element::split_off_swallowed`]).
//! Depth and size are limited. Namespaces, `xml:base` and `xml:lang` are resolved here.

use std::borrow::Cow;
use std::sync::Arc;

use foldhash::HashMap;
use url::Url;

use super::namespaces::{self, Namespace};
use super::repairs::Repairs;
use super::token::{RawAttribute, Tag, Token, Tokens};
use crate::feed::RepairKind;

/// Elements that are nested more deeply are flattened into their parent.
const MAX_DEPTH: usize = 128;
/// The most namespaces that one tag may declare. Further ones are ignored. A tag with many of them is an attack
/// (RUSTSEC-2026-0195).
const MAX_NAMESPACES_PER_TAG: usize = 64;
/// The most namespaces that may be active at one place.
const MAX_NAMESPACES: usize = 256;
/// A longer base URL is ignored, because each relative URL in the document would become as long.
pub(super) const MAX_BASE_BYTES: usize = 512;
/// A longer language tag is ignored, because each entry would inherit it. BCP 47 §4.4.1 requires support for at least
/// 35 characters.
const MAX_LANGUAGE_BYTES: usize = 64;
/// The most bytes of text in one field. The rest is cut off.
pub(super) const MAX_FIELD_BYTES: usize = 1 << 20;
/// The most elements in one field. Further elements are dropped, except their text.
const MAX_FIELD_ELEMENTS: usize = 20_000;

/// An element and everything inside it.
pub(super) struct Element<'a> {
    pub namespace: Namespace,
    /// The name as written, with its prefix.
    pub qualified: &'a str,
    /// The name without prefix, in lower case.
    pub name: Cow<'a, str>,
    pub attributes: Vec<RawAttribute<'a>>,
    pub children: Vec<XmlNode<'a>>,
    /// The base URL of relative URLs in the element.
    pub base: Option<Arc<Url>>,
    pub language: Option<Arc<str>>,
}

pub(super) enum XmlNode<'a> {
    /// A text. Two texts never follow each other.
    Text(Cow<'a, str>),
    Element(Box<Element<'a>>),
}

impl<'a> Element<'a> {
    /// Returns the trimmed value of an attribute without a prefix. Returns `None` if the value is empty.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let attribute = self.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))?;
        Some(attribute.value.trim()).filter(|value| !value.is_empty())
    }

    /// Returns the trimmed value of an attribute with any prefix. Returns `None` if the value is empty.
    pub(super) fn prefixed_attribute(&self, local: &str) -> Option<&str> {
        let local_of = |name: &'a str| name.split_once(':').map(|(_, local)| local);
        let attribute = self.attributes.iter().find(|attribute| local_of(attribute.name) == Some(local))?;
        Some(attribute.value.trim()).filter(|value| !value.is_empty())
    }

    /// Returns the element's own `xml:lang`, not an inherited one.
    pub(super) fn own_language(&self) -> Option<&str> {
        xml_attribute(self, "xml:lang")
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = &Element<'a>> {
        self.children.iter().filter_map(|node| match node {
            XmlNode::Element(element) => Some(&**element),
            XmlNode::Text(_) => None,
        })
    }

    /// Returns all text in the element and its children, trimmed.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self.children.as_slice() {
            [] => Cow::Borrowed(""),
            [XmlNode::Text(text)] => Cow::Borrowed(text.trim()),
            _ => {
                let mut text = String::new();
                self.append_text(&mut text);
                Cow::Owned(text.trim().to_owned())
            }
        }
    }

    /// Returns only the text that is directly in the element.
    pub(super) fn own_text(&self) -> Cow<'_, str> {
        match self.children.as_slice() {
            [] => Cow::Borrowed(""),
            [XmlNode::Text(text)] => Cow::Borrowed(text.trim()),
            nodes => {
                let texts =
                    nodes.iter().filter_map(|node| if let XmlNode::Text(text) = node { Some(&**text) } else { None });
                Cow::Owned(texts.collect::<String>().trim().to_owned())
            }
        }
    }

    fn append_text(&self, text: &mut String) {
        for node in &self.children {
            match node {
                XmlNode::Text(more) => text.push_str(more),
                XmlNode::Element(element) => element.append_text(text),
            }
        }
    }

    /// Removes the fields that an unclosed field swallowed, and returns them. They are its child elements, beginning
    /// with the first one that is a field.
    pub(super) fn split_off_swallowed(&mut self, is_field: impl Fn(&Element) -> bool) -> Vec<Element<'a>> {
        let first =
            self.children.iter().position(|node| matches!(node, XmlNode::Element(element) if is_field(element)));
        let Some(first) = first else { return Vec::new() };
        let nodes = self.children.split_off(first);
        nodes
            .into_iter()
            .filter_map(|node| if let XmlNode::Element(element) = node { Some(*element) } else { None })
            .collect()
    }
}

/// What the reader meets outside the fields.
pub(super) enum TreeEvent<'a> {
    /// A start tag outside any field. The caller continues with [`TreeReader::enter`], [`TreeReader::field`] or
    /// [`TreeReader::pass_over`].
    Start(Element<'a>, Opening),
    /// An end tag. It ends this many of the entered elements, counted from the innermost. It ends more than one if the
    /// inner ones were left open.
    End(usize),
    Text(Cow<'a, str>),
}

/// A start tag whose content has not been read yet.
pub(super) struct Opening {
    /// The byte position of the tag in the text.
    pub at: usize,
    self_closing: bool,
}

/// A field, and whether it had its own end tag.
pub(super) struct ReadField<'a> {
    pub element: Element<'a>,
    pub closed: bool,
}

/// Reads the elements of a document.
pub(super) struct TreeReader<'a> {
    tokens: Tokens<'a>,
    /// A tag that comes before the next token: the one that ended an unclosed field, or the end of a self-closing
    /// element.
    pending: Option<Token<'a>>,
    entered: Vec<Entered<'a>>,
    bindings: Bindings<'a>,
    pub repairs: Repairs,
}

struct Entered<'a> {
    qualified: &'a str,
    base: Option<Arc<Url>>,
    language: Option<Arc<str>>,
    bindings: usize,
}

impl<'a> TreeReader<'a> {
    pub(super) fn new(text: &'a str, base: Option<Arc<Url>>, repairs: Repairs) -> Self {
        let outermost = Entered { qualified: "", base, language: None, bindings: 0 };
        TreeReader {
            tokens: Tokens::new(text),
            pending: None,
            entered: vec![outermost],
            bindings: Bindings::default(),
            repairs,
        }
    }

    /// Returns the byte position of the next token. While a tag is pending, returns the position after that tag.
    pub(super) fn position(&self) -> usize {
        self.tokens.position()
    }

    /// Returns how many elements were entered and have not ended.
    pub(super) fn depth(&self) -> usize {
        self.entered.len() - 1
    }

    /// Returns whether the text ended inside a tag or section.
    pub(super) fn broken_off(&self) -> bool {
        self.tokens.broken_off
    }

    /// Returns whether the last field, which has no end tag, ended because the text ended.
    pub(super) fn is_at_end(&self) -> bool {
        self.pending.is_none()
    }

    /// Returns whether reading stopped early because it took too much work.
    pub(super) fn is_out_of_steps(&self) -> bool {
        self.tokens.steps.are_used_up()
    }

    pub(super) fn next(&mut self) -> Option<TreeEvent<'a>> {
        loop {
            return Some(match self.next_token(None)? {
                Token::Text(text) => TreeEvent::Text(text),
                Token::Start(tag) => self.opening(tag),
                Token::End(name) => match self.entered_position(name) {
                    Some(position) => {
                        let ended = self.entered.len() - position;
                        if ended > 1 {
                            self.repairs.note(RepairKind::UnclosedTags);
                        }
                        TreeEvent::End(ended)
                    }
                    None => {
                        self.repairs.note(RepairKind::StrayEndTags);
                        continue;
                    }
                },
            });
        }
    }

    fn next_token(&mut self, inside: Option<&str>) -> Option<Token<'a>> {
        self.pending.take().or_else(|| self.tokens.next(inside, &mut self.repairs))
    }

    fn opening(&mut self, tag: Tag<'a>) -> TreeEvent<'a> {
        let opening = Opening { at: tag.at, self_closing: tag.self_closing };
        let outer = self.entered.last().expect("the outermost element stays in the list");
        let (base, language) = (outer.base.clone(), outer.language.clone());
        TreeEvent::Start(self.element(tag, base, language), opening)
    }

    fn element(&mut self, tag: Tag<'a>, base: Option<Arc<Url>>, language: Option<Arc<str>>) -> Element<'a> {
        self.bindings.declare(&tag.attributes, &mut self.repairs);
        let (namespace, local) = self.bindings.resolve(tag.name, &mut self.repairs);
        let mut element = Element {
            namespace,
            qualified: tag.name,
            name: lower_case(local),
            attributes: tag.attributes,
            children: Vec::new(),
            base,
            language,
        };
        if let Some(language) = xml_attribute(&element, "xml:lang") {
            element.language = (language.len() <= MAX_LANGUAGE_BYTES).then(|| language.into());
        }
        if let Some(base) = xml_attribute(&element, "xml:base").filter(|base| base.len() <= MAX_BASE_BYTES) {
            self.tokens.steps.take(base.len() + element.base.as_ref().map_or(0, |outer| outer.as_str().len()));
            element.base = joined_base(element.base.as_deref(), base).map(Arc::new).or(element.base);
        }
        element
    }

    /// Treats the unknown vocabulary of an element's prefix as the vocabulary of feeds.
    pub(super) fn adopt(&mut self, element: &mut Element<'a>) {
        self.bindings.bind(prefix_of(element.qualified), Some(Namespace::Core));
        element.namespace = Namespace::Core;
    }

    /// Enters an element, to read its content with [`TreeReader::next`].
    pub(super) fn enter(&mut self, element: &Element<'a>, opening: &Opening) {
        self.entered.push(Entered {
            qualified: element.qualified,
            base: element.base.clone(),
            language: element.language.clone(),
            bindings: self.bindings.mark(),
        });
        if opening.self_closing {
            self.pending = Some(Token::End(element.qualified));
        }
    }

    /// Skips a start tag. The content of the element is then read as if the tag were not there.
    pub(super) fn pass_over(&mut self) {
        let outer = self.entered.last().expect("the outermost element stays in the list");
        self.bindings.reset(outer.bindings);
    }

    /// Leaves the innermost entered element.
    pub(super) fn leave(&mut self) {
        if self.entered.len() > 1 {
            self.entered.pop();
            let outer = self.entered.last().expect("the outermost element stays in the list");
            self.bindings.reset(outer.bindings);
        }
    }

    /// Reads a field up to its end tag, the end tag of an enclosing element, or a start tag that `ends_field` accepts.
    pub(super) fn field(
        &mut self,
        element: Element<'a>,
        opening: &Opening,
        ends_field: impl Fn(Namespace, &str) -> bool,
    ) -> ReadField<'a> {
        let mark = self.entered.last().map_or(0, |outer| outer.bindings);
        let mut open = Open { stack: vec![(element, mark)], budget: MAX_FIELD_BYTES, elements: 0 };
        let mut closed = opening.self_closing;
        while !closed {
            let inside = open.innermost().qualified;
            let Some(token) = self.next_token(Some(inside)) else { break };
            match token {
                Token::Text(text) => open.text(text, &mut self.repairs),
                Token::Start(tag) => {
                    let (namespace, local) = self.bindings.peek(tag.name);
                    if ends_field(namespace, &lower_case(local)) {
                        self.pending = Some(Token::Start(tag));
                        break;
                    }
                    self.child(tag, &mut open);
                }
                Token::End(name) => match open.position(name) {
                    Some(0) => {
                        open.close_to(1, &mut self.bindings, &mut self.repairs);
                        closed = true;
                    }
                    Some(position) => open.close_to(position, &mut self.bindings, &mut self.repairs),
                    None if self.entered_position(name).is_some() => {
                        self.pending = Some(Token::End(name));
                        break;
                    }
                    None => self.repairs.note(RepairKind::StrayEndTags),
                },
            }
        }
        if !closed {
            self.repairs.note(RepairKind::UnclosedTags);
        }
        let element = open.finish(&mut self.bindings, &mut self.repairs);
        ReadField { element, closed }
    }

    fn child(&mut self, tag: Tag<'a>, open: &mut Open<'a>) {
        if open.stack.len() >= MAX_DEPTH || open.elements >= MAX_FIELD_ELEMENTS {
            self.repairs.note(RepairKind::TooDeep);
            return;
        }
        open.elements += 1;
        let self_closing = tag.self_closing;
        let mark = self.bindings.mark();
        let outer = open.innermost();
        let (base, language) = (outer.base.clone(), outer.language.clone());
        let element = self.element(tag, base, language);
        open.stack.push((element, mark));
        if self_closing {
            open.close_to(open.stack.len() - 1, &mut self.bindings, &mut self.repairs);
        }
    }

    fn entered_position(&self, name: &str) -> Option<usize> {
        self.entered
            .iter()
            .rposition(|entered| entered.qualified.eq_ignore_ascii_case(name))
            .filter(|&position| position > 0)
    }
}

/// The open elements of a field, each with the number of namespace declarations before it.
struct Open<'a> {
    stack: Vec<(Element<'a>, usize)>,
    /// How many more bytes of text the field may take.
    budget: usize,
    elements: usize,
}

impl<'a> Open<'a> {
    fn innermost(&self) -> &Element<'a> {
        &self.stack.last().expect("the field itself is open").0
    }

    fn text(&mut self, text: Cow<'a, str>, repairs: &mut Repairs) {
        let text = if text.len() > self.budget {
            repairs.note(RepairKind::TooLong);
            Cow::Owned(text[..text.floor_char_boundary(self.budget)].to_owned())
        } else {
            text
        };
        self.budget -= text.len();
        let children = &mut self.stack.last_mut().expect("the field itself is open").0.children;
        match children.last_mut() {
            Some(XmlNode::Text(before)) => before.to_mut().push_str(&text),
            _ if text.is_empty() => {}
            _ => children.push(XmlNode::Text(text)),
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.stack.iter().rposition(|(element, _)| element.qualified.eq_ignore_ascii_case(name))
    }

    /// Closes elements until only `length` are open.
    fn close_to(&mut self, length: usize, bindings: &mut Bindings, repairs: &mut Repairs) {
        if self.stack.len() > length + 1 {
            repairs.note(RepairKind::UnclosedTags);
        }
        while self.stack.len() > length.max(1) {
            let (element, mark) = self.stack.pop().expect("more than one is open");
            bindings.reset(mark);
            self.stack
                .last_mut()
                .expect("the field itself is open")
                .0
                .children
                .push(XmlNode::Element(Box::new(element)));
        }
    }

    fn finish(mut self, bindings: &mut Bindings, repairs: &mut Repairs) -> Element<'a> {
        self.close_to(1, bindings, repairs);
        let (element, mark) = self.stack.pop().expect("the field itself is open");
        bindings.reset(mark);
        element
    }
}

/// The active namespace prefixes.
#[derive(Default)]
struct Bindings<'a> {
    /// The declarations, innermost last, each with the previous meaning of its prefix.
    declared: Vec<(&'a str, Option<Namespace>)>,
    /// The namespace of names without a prefix. Nearly all names have none.
    default: Option<Namespace>,
    /// The namespace of each prefix.
    prefixed: HashMap<&'a str, Namespace>,
}

impl<'a> Bindings<'a> {
    fn mark(&self) -> usize {
        self.declared.len()
    }

    fn reset(&mut self, mark: usize) {
        while self.declared.len() > mark {
            let (prefix, before) = self.declared.pop().expect("more than `mark` are declared");
            self.bind(prefix, before);
        }
    }

    fn declare(&mut self, attributes: &[RawAttribute<'a>], repairs: &mut Repairs) {
        let mut declared = 0;
        for attribute in attributes {
            let prefix = match attribute.name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) if rest.starts_with(':') => &rest[1..],
                _ => continue,
            };
            if declared == MAX_NAMESPACES_PER_TAG || self.declared.len() == MAX_NAMESPACES {
                repairs.note(RepairKind::TooManyAttributes);
                return;
            }
            declared += 1;
            // An unknown default namespace counts as the feed's own, so its elements are recognised by their names
            // alone.
            let unknown = if prefix.is_empty() { Namespace::Core } else { Namespace::Unknown };
            let before = self.bind(prefix, Some(namespaces::by_uri(&attribute.value).unwrap_or(unknown)));
            self.declared.push((prefix, before));
        }
    }

    /// Binds a prefix to a namespace, or unbinds it if `namespace` is `None`. Returns the previous meaning of the
    /// prefix.
    fn bind(&mut self, prefix: &'a str, namespace: Option<Namespace>) -> Option<Namespace> {
        match namespace {
            _ if prefix.is_empty() => std::mem::replace(&mut self.default, namespace),
            Some(namespace) => self.prefixed.insert(prefix, namespace),
            None => self.prefixed.remove(prefix),
        }
    }

    fn resolve<'n>(&self, qualified: &'n str, repairs: &mut Repairs) -> (Namespace, &'n str) {
        let (namespace, local) = self.peek(qualified);
        if qualified.contains(':') && namespace != Namespace::Unknown && self.lookup(prefix_of(qualified)).is_none() {
            repairs.note(RepairKind::UndeclaredNamespace);
        }
        (namespace, local)
    }

    fn peek<'n>(&self, qualified: &'n str) -> (Namespace, &'n str) {
        match qualified.split_once(':') {
            None => (self.lookup("").unwrap_or(Namespace::Core), qualified),
            Some((prefix, local)) => {
                (self.lookup(prefix).unwrap_or_else(|| namespaces::by_usual_prefix(prefix)), local)
            }
        }
    }

    fn lookup(&self, prefix: &str) -> Option<Namespace> {
        if prefix.is_empty() { self.default } else { self.prefixed.get(prefix).copied() }
    }
}

fn prefix_of(qualified: &str) -> &str {
    qualified.split_once(':').map_or("", |(prefix, _)| prefix)
}

fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

fn xml_attribute<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    element.attributes.iter().find(|attribute| attribute.name == name).map(|attribute| attribute.value.trim())
}

fn joined_base(outer: Option<&Url>, base: &str) -> Option<Url> {
    let joined = match outer {
        Some(outer) => outer.join(base),
        None => Url::parse(base),
    };
    joined.ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.as_str().len() <= MAX_BASE_BYTES)
}
