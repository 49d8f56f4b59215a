//! The terminal while it is drawn on: its other screen, keys without a line end, and all of it as it was afterwards.
//!
//! One picture a second of a few dozen lines needs no widgets and no differences: lines are written over the old ones.
//! So this takes the terminal calls of `rustix` and the widths of `console`, which are there already, instead of
//! `ratatui` and `crossterm` with twenty crates more (`docs/scaling.md`).

use std::io::{self, Read, Write};

use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use tokio::sync::mpsc;

use super::picture::Size;

/// The other screen, without a cursor.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";
const HOME: &str = "\u{1b}[H";
const CLEAR_LINE: &str = "\u{1b}[K";
const CLEAR_BELOW: &str = "\u{1b}[J";

/// What terminals without a size are taken for.
const COLUMNS: u16 = 80;
const ROWS: u16 = 24;

/// Keys that wait to be looked at; of more, the later ones are lost.
const KEYS_MAX: usize = 16;

/// Ctrl-C and Ctrl-D, as they come where they raise no signal.
const INTERRUPT: u8 = 3;
const END: u8 = 4;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Interrupt,
    Other,
}

impl From<u8> for Key {
    fn from(byte: u8) -> Self {
        match byte {
            b'q' | b'Q' | END => Self::Quit,
            INTERRUPT => Self::Interrupt,
            _ => Self::Other,
        }
    }
}

/// The terminal, drawn on. Dropping it leaves everything as it was.
#[derive(Debug)]
pub(super) struct Screen {
    /// The modes of the input as they were, if it is a terminal.
    before: Option<Termios>,
}

impl Screen {
    pub(super) fn enter() -> io::Result<Self> {
        let input = io::stdin();
        let before = termios::tcgetattr(&input).ok();
        if let Some(before) = &before {
            let mut modes = before.clone();
            // Keys come at once and unseen. Without signals, Ctrl-C is a key, and Ctrl-Z leaves no half-drawn terminal.
            modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
            modes.special_codes[SpecialCodeIndex::VMIN] = 1;
            modes.special_codes[SpecialCodeIndex::VTIME] = 0;
            termios::tcsetattr(&input, OptionalActions::Now, &modes)?;
        }
        let screen = Self { before };
        write(ENTER)?;
        Ok(screen)
    }

    pub(super) fn size() -> Size {
        let found = termios::tcgetwinsize(io::stdout()).ok();
        let found = found.filter(|size| size.ws_col > 0 && size.ws_row > 0);
        let (columns, rows) = found.map_or((COLUMNS, ROWS), |size| (size.ws_col, size.ws_row));
        Size { columns: columns.into(), rows: Some(rows.into()) }
    }

    /// Draws lines that fit over whatever is there.
    #[expect(clippy::unused_self, reason = "only a terminal that was entered may be drawn on")]
    pub(super) fn draw(&self, lines: &[String]) -> io::Result<()> {
        write(&frame(lines))
    }

    /// The keys that are pressed, read by a thread that ends with the process: a read of a terminal cannot be called off.
    pub(super) fn keys(&self) -> mpsc::Receiver<Key> {
        let (sender, receiver) = mpsc::channel(KEYS_MAX);
        if self.before.is_some() {
            std::thread::spawn(move || {
                let mut byte = [0];
                while matches!(io::stdin().read(&mut byte), Ok(1)) {
                    if let Err(mpsc::error::TrySendError::Closed(_)) =
                        sender.try_send(Key::from(byte[0]))
                    {
                        return;
                    }
                }
            });
        }
        receiver
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = write(LEAVE);
        if let Some(before) = &self.before {
            let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

fn frame(lines: &[String]) -> String {
    let mut frame = HOME.to_owned();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            frame.push_str("\r\n");
        }
        frame.push_str(line);
        frame.push_str(CLEAR_LINE);
    }
    frame + CLEAR_BELOW
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_covers_what_was_there_and_does_not_scroll() {
        let lines = ["a".to_owned(), "b".to_owned()];
        assert_eq!(frame(&lines), "\u{1b}[Ha\u{1b}[K\r\nb\u{1b}[K\u{1b}[J");
    }

    #[test]
    fn keys_that_end_it() {
        let keys = [b'q', b'Q', 3, 4, b'x'].map(Key::from);
        assert_eq!(keys, [Key::Quit, Key::Quit, Key::Interrupt, Key::Quit, Key::Other]);
    }
}
