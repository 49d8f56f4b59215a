//! Colours, where a person looks at a terminal and has not asked for none.

use std::fmt::Display;

use console::Style;

use super::Output;
use crate::Environment;
use crate::environment::variable;

/// Set to anything, it asks programs for no colours (<https://no-color.org>).
const NO_COLOR: &str = "NO_COLOR";

/// Colours text, or leaves it as it is. Colour only repeats what the text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ink {
    on: bool,
}

impl Ink {
    /// For data on stdout.
    pub(crate) fn of_data(output: &Output, environment: &Environment) -> Self {
        let dumb = variable(environment, "TERM") == Some("dumb");
        Self { on: output.data_is_terminal && !dumb && variable(environment, NO_COLOR).is_none() }
    }

    #[cfg(test)]
    pub(crate) const fn none() -> Self {
        Self { on: false }
    }

    /// A heading.
    pub(crate) fn strong(self, text: impl Display) -> String {
        self.with(Style::new().bold(), text)
    }

    /// What matters least.
    pub(crate) fn faint(self, text: impl Display) -> String {
        self.with(Style::new().dim(), text)
    }

    /// What is as it should be.
    pub(crate) fn good(self, text: impl Display) -> String {
        self.with(Style::new().green(), text)
    }

    /// What is on its way, or held.
    pub(crate) fn moving(self, text: impl Display) -> String {
        self.with(Style::new().yellow(), text)
    }

    /// What calls for something.
    pub(crate) fn alarming(self, text: impl Display) -> String {
        self.with(Style::new().red(), text)
    }

    fn with(self, style: Style, text: impl Display) -> String {
        style.force_styling(self.on).apply_to(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_that_wants_them_gets_colours() {
        let (mut output, ..) = Output::in_memory(false);
        let of = |pairs: &[(&str, &str)]| -> Environment {
            pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
        };
        assert_eq!(Ink::of_data(&output, &of(&[])).good("x"), "x");
        output.data_is_terminal = true;
        assert_eq!(Ink::of_data(&output, &of(&[])).good("x"), "\u{1b}[32mx\u{1b}[0m");
        assert_eq!(Ink::of_data(&output, &of(&[("NO_COLOR", "1")])).good("x"), "x");
        assert_eq!(Ink::of_data(&output, &of(&[("TERM", "dumb")])).good("x"), "x");
    }
}
