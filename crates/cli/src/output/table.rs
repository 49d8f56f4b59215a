//! Tables for people: aligned columns without lines, so that a row can be selected and copied.

use comfy_table::{ContentArrangement, Table, presets};

/// Rows below a heading. Cells keep their line breaks; nothing is cut off.
pub(crate) fn table<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = plain();
    table.set_header(heading);
    for row in rows {
        table.add_row(row);
    }
    trimmed(&table)
}

/// A column of names with what belongs to each.
pub(crate) fn fields(fields: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut table = plain();
    for (name, value) in fields {
        table.add_row([name.to_owned(), value]);
    }
    trimmed(&table)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// The table without the padding that comfy-table puts at both ends of a line.
fn trimmed(table: &Table) -> String {
    let text = table.to_string();
    let lines = text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_where_their_text_does() {
        let rows = [
            ["a".to_owned(), "1/1\n0/2".to_owned(), "x".to_owned()],
            ["ärger".into(), String::new(), String::new()],
        ];
        let shown = table(["NAME", "INSTANCES", "AGE"], rows);
        assert_eq!(shown, "NAME   INSTANCES  AGE\na      1/1        x\n       0/2\närger");
    }

    #[test]
    fn a_table_without_rows_is_its_heading() {
        assert_eq!(table(["NAME", "AGE"], []), "NAME  AGE");
    }

    #[test]
    fn fields_line_up() {
        assert_eq!(fields([("Name", "a".into()), ("Status", "b".into())]), "Name    a\nStatus  b");
    }
}
