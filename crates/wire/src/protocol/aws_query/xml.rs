//! The little XML that awsQuery needs: elements and text, no attributes but the namespace.

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;

/// Deepest nesting of an answer that is read. AWS's have fewer than twenty levels.
const DEPTH_MAX: usize = 64;

/// An element that was read.
#[derive(Debug, Default)]
pub(super) struct Element {
    name: String,
    children: Vec<Element>,
    pub(super) text: String,
}

impl Element {
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(super) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum XmlError {
    #[error("the answer is not XML: {0}")]
    Syntax(#[from] quick_xml::Error),
    #[error("the answer is not UTF-8")]
    Utf8,
    #[error("the answer is nested too deeply")]
    Depth,
    #[error("the answer has no root element")]
    Root,
    #[error("the answer uses an unknown entity")]
    Entity,
}

/// Reads a document into its root element. Declarations, comments and entities of its own are not read.
pub(super) fn parse(bytes: &[u8]) -> Result<Element, XmlError> {
    let mut reader = Reader::from_str(str::from_utf8(bytes).map_err(|_| XmlError::Utf8)?);
    // The first one stands for the document.
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event()?;
        let top = open.last_mut().ok_or(XmlError::Root)?;
        match event {
            Event::Start(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                if open.len() > DEPTH_MAX {
                    return Err(XmlError::Depth);
                }
                open.push(Element { name, ..Element::default() });
            }
            Event::Empty(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                top.children.push(Element { name, ..Element::default() });
            }
            Event::End(_) => {
                let closed = open.pop().ok_or(XmlError::Root)?;
                open.last_mut().ok_or(XmlError::Root)?.children.push(closed);
            }
            Event::Text(text) => top.text.push_str(&text.xml10_content()),
            Event::CData(text) => top.text.push_str(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                if let Some(letter) = entity.resolve_char_ref()? {
                    top.text.push(letter);
                } else {
                    let name = entity.xml10_content();
                    top.text.push_str(resolve_predefined_entity(&name).ok_or(XmlError::Entity)?);
                }
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof => break,
        }
    }
    match <[Element; 1]>::try_from(open) {
        Ok([document]) => document.children.into_iter().next().ok_or(XmlError::Root),
        Err(_) => Err(XmlError::Root),
    }
}

/// Writes elements whose names are ours and whose text is anyone's.
#[derive(Debug)]
pub(super) struct Writer(String);

impl Writer {
    pub(super) const fn new() -> Self {
        Self(String::new())
    }

    pub(super) fn open_root(&mut self, name: &str, namespace: &str) {
        for part in ["<", name, " xmlns=\"", &escape(namespace), "\">"] {
            self.0.push_str(part);
        }
    }

    pub(super) fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    pub(super) fn element(&mut self, name: &str, contents: impl FnOnce(&mut Self)) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
        contents(self);
        self.close(name);
    }

    pub(super) fn text_element(&mut self, name: &str, text: &str) {
        self.element(name, |xml| xml.text(text));
    }

    /// XML 1.0 has no way to write most control characters; they become U+FFFD.
    pub(super) fn text(&mut self, text: &str) {
        let legal = |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
        if text.chars().all(legal) {
            self.0.push_str(&escape(text));
        } else {
            let cleaned: String =
                text.chars().map(|c| if legal(c) { c } else { '\u{FFFD}' }).collect();
            self.0.push_str(&escape(cleaned.as_str()));
        }
    }

    pub(super) fn finish(self) -> Bytes {
        Bytes::from(self.0)
    }
}
