//! An inventory as a picture: what each service costs a month, by what it is for. One SVG that needs
//! nothing beside it and runs nothing.

use super::Inventory;
use super::text::{at_least, parts, plain, title, usd};

/// Pixels.
const WIDTH: f64 = 860.0;
const LABEL: f64 = 180.0;
const BAR: f64 = 520.0;
const ROW: f64 = 26.0;
const TOP: f64 = 84.0;

/// A colour for each part, told apart in grey as well.
const COLOURS: [&str; 4] = ["#1f5a8a", "#5b9bd5", "#a9cce8", "#e0a13c"];

/// The longest name that is shown, in letters.
const LONGEST: usize = 24;

/// The picture.
pub fn picture(found: &Inventory) -> String {
    let mut services: Vec<_> = found.services.iter().collect();
    services.sort_by(|(one_name, one), (other_name, other)| {
        other.usd().total_cmp(&one.usd()).then_with(|| one_name.cmp(other_name))
    });
    let most = services.iter().map(|(_, sums)| sums.usd()).fold(0.0, f64::max);
    let height = TOP + ROW * services.len() as f64 + 40.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    let total = &found.total;
    let head = format!(
        "{}: {} servers, {} vCPU, {}${} a month",
        title(found),
        total.servers,
        total.vcpus,
        at_least(found),
        usd(total.usd())
    );
    out += &line(20.0, 30.0, "font-size=\"16\"", &head);
    for (at, (name, _)) in parts(total).iter().enumerate() {
        let x = 20.0 + 170.0 * at as f64;
        out += &format!(
            "<rect x=\"{x}\" y=\"48\" width=\"12\" height=\"12\" fill=\"{}\"/>\n",
            COLOURS[at]
        );
        out += &line(x + 18.0, 59.0, "", name);
    }
    for (number, (name, sums)) in services.iter().enumerate() {
        let y = TOP + ROW * number as f64;
        let short: String = name.chars().take(LONGEST).collect();
        out += &line(20.0, y + 14.0, "", &short);
        let mut x = LABEL;
        for (at, (_, amount)) in parts(sums).iter().enumerate() {
            let width = if most > 0.0 { BAR * amount / most } else { 0.0 };
            if width > 0.0 {
                out += &format!(
                    "<rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"18\" fill=\"{}\"/>\n",
                    COLOURS[at]
                );
            }
            x += width;
        }
        out += &line(x + 8.0, y + 14.0, "", &format!("${}", usd(sums.usd())));
    }
    let foot = format!("prices of {}", found.prices_date);
    out += &line(20.0, height - 14.0, "fill=\"#666666\"", &foot);
    out + "</svg>\n"
}

fn line(x: f64, y: f64, more: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" {more}>{}</text>\n", escaped(&plain(text)))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
