//! A replay as a drawing: price, auctions under way, the fund, the debt.

use std::fmt::Write;

use crate::report::date;
use crate::tally::{Moment, Tally};

const WIDTH: i128 = 860;
const LEFT: i128 = 120;
const TOP: i128 = 40;
const PANEL: i128 = 110;
const GAP: i128 = 40;
/// Points of a line at most; more cannot be seen.
const POINTS: usize = 240;
/// Colours of paper, text and frames, for readers of light and of dark pages.
const STYLE: &str = "<style>.paper{fill:#fff}text{fill:#1f2328}.frame{fill:none;stroke:#d0d7de}\
    @media(prefers-color-scheme:dark){.paper{fill:#0d1117}text{fill:#e6edf3}\
    .frame{stroke:#3d444d}}</style>";

/// One of the lines.
struct Panel {
    title: &'static str,
    colour: &'static str,
    unit: i128,
    value: fn(&Moment) -> i128,
}

const PANELS: [Panel; 4] = [
    Panel {
        title: "price, USDC",
        colour: "#2f81f7",
        unit: 1_000,
        value: |moment| i128::from(moment.price),
    },
    Panel {
        title: "accounts in auction",
        colour: "#a371f7",
        unit: 1,
        value: |moment| moment.auctions as i128,
    },
    Panel {
        title: "insurance fund, USDC",
        colour: "#2da44e",
        unit: 1_000_000,
        value: |moment| moment.fund_e6,
    },
    Panel {
        title: "equity below zero, USDC",
        colour: "#e5534b",
        unit: 1_000_000,
        value: |moment| moment.debt_e6,
    },
];

/// The drawing as SVG.
pub fn svg(title: &str, tally: &Tally) -> String {
    let bottom = TOP + PANELS.len() as i128 * (PANEL + GAP) - GAP + 18;
    let [width, height, right] = [LEFT + WIDTH + 20, bottom + 12, LEFT + WIDTH];
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         {STYLE}\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"15\">{title}</text>\n"
    );
    for (place, panel) in PANELS.iter().enumerate() {
        draw(&mut out, panel, TOP + place as i128 * (PANEL + GAP), &tally.moments);
    }
    let end = |moment: Option<&Moment>| moment.map_or(String::new(), |moment| date(moment.time));
    let [first, last] = [tally.moments.first(), tally.moments.last()].map(end);
    // Writing to a text does not fail.
    let _ = write!(
        out,
        "<text x=\"{LEFT}\" y=\"{bottom}\">{first}</text>\n\
         <text x=\"{right}\" y=\"{bottom}\" text-anchor=\"end\">{last} UTC</text>\n</svg>\n"
    );
    out
}

/// A panel whose upper edge is at `top`, with its greatest and least value beside it.
fn draw(out: &mut String, panel: &Panel, top: i128, moments: &[Moment]) {
    let values: Vec<i128> = moments.iter().map(panel.value).collect();
    let least = values.iter().copied().min().unwrap_or(0);
    // Only the price has no natural zero.
    let low = if panel.unit == 1_000 { least } else { least.min(0) };
    let high = values.iter().copied().max().unwrap_or(0).max(low + 1);
    let points = line(&values, [low, high], top);
    let (bottom, edge) = (top + PANEL, LEFT - 6);
    let Panel { title, colour, unit, .. } = panel;
    let _ = write!(
        out,
        "<g><rect x=\"{LEFT}\" y=\"{top}\" width=\"{WIDTH}\" height=\"{PANEL}\" class=\"frame\"/>\n\
         <text x=\"{LEFT}\" y=\"{}\">{title}</text>\n\
         <text x=\"{edge}\" y=\"{}\" text-anchor=\"end\">{}</text>\n\
         <text x=\"{edge}\" y=\"{bottom}\" text-anchor=\"end\">{}</text>\n\
         <polyline fill=\"none\" stroke=\"{colour}\" points=\"{points}\"/></g>\n",
        top - 5,
        top + 11,
        high / unit,
        low / unit,
    );
}

/// The points of a line. In each of the [`POINTS`] parts of time it goes through the least and the
/// greatest value, so that no peak is lost; of a level part only the ends are points.
fn line(values: &[i128], [low, high]: [i128; 2], top: i128) -> String {
    let count = values.len().max(2) as i128 - 1;
    let length = values.len().div_ceil(POINTS).max(1);
    let mut points: Vec<(i128, i128)> = Vec::new();
    for (part, some) in values.chunks(length).enumerate() {
        let least = some.iter().enumerate().min_by_key(|&(_, value)| value);
        let greatest = some.iter().enumerate().max_by_key(|&(_, value)| value);
        let mut ends: Vec<_> = [least, greatest].into_iter().flatten().collect();
        ends.sort();
        ends.dedup();
        for (k, value) in ends {
            let x = LEFT + (part * length + k) as i128 * WIDTH / count;
            let y = top + PANEL - (value - low) * PANEL / (high - low);
            if let [.., (_, before), (_, last)] = points[..]
                && [before, last] == [y, y]
            {
                points.pop();
            }
            points.push((x, y));
        }
    }
    let texts: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
    texts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_keeps_peaks_and_only_the_ends_of_what_is_level() {
        let mut values = vec![0; 1_000];
        values[500] = 10;
        let points = line(&values, [0, 10], 0);
        assert_eq!(points, "120,110 549,110 550,0 551,110 980,110");
    }
}
