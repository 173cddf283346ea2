//! A plot with two logarithmic axes: dots are measured, dashed lines the model.

use std::fmt::Write;

/// What lies along an axis, from its first tick to its last.
pub struct Axis {
    pub name: &'static str,
    pub ticks: Vec<(f64, String)>,
}

pub struct Point {
    pub x: f64,
    pub measured: f64,
    pub model: f64,
}

pub struct Series {
    pub name: String,
    pub points: Vec<Point>,
}

const COLORS: [&str; 4] = ["#1b6ca8", "#d1495b", "#3a7d44", "#7b4fa3"];

impl Axis {
    /// How far along the axis a value is, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        let (first, last) = (self.ticks[0].0, self.ticks[self.ticks.len() - 1].0);
        (value / first).ln() / (last / first).ln()
    }
}

/// The plot as SVG.
pub fn plot(along: &Axis, up: &Axis, series: &[Series]) -> String {
    let x = |value: f64| 80.0 + along.place(value) * 480.0;
    let y = |value: f64| 360.0 - up.place(value) * 320.0;
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 430\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"720\" height=\"430\" fill=\"#fff\"/>\n",
    );
    for (value, text) in &up.ticks {
        let (at, below) = (y(*value), y(*value) + 4.0);
        let _ = writeln!(
            svg,
            "<path d=\"M80 {at:.1}H560\" stroke=\"#ddd\"/>\
             <text x=\"72\" y=\"{below:.1}\" text-anchor=\"end\">{text}</text>"
        );
    }
    for (value, text) in &along.ticks {
        let at = x(*value);
        let _ = writeln!(
            svg,
            "<path d=\"M{at:.1} 40V360\" stroke=\"#eee\"/>\
             <text x=\"{at:.1}\" y=\"380\" text-anchor=\"middle\">{text}</text>"
        );
    }
    for (at, (Series { name, points }, color)) in series.iter().zip(COLORS).enumerate() {
        let model = points.iter().map(|point| format!("{:.1},{:.1}", x(point.x), y(point.model)));
        let model: Vec<String> = model.collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-dasharray=\"5 4\"/>",
            model.join(" ")
        );
        for point in points {
            let (x, y) = (x(point.x), y(point.measured));
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{color}\"/>");
        }
        let line = 60 + 22 * at;
        let middle = line - 4;
        let _ = writeln!(
            svg,
            "<circle cx=\"580\" cy=\"{middle}\" r=\"4\" fill=\"{color}\"/>\
             <text x=\"592\" y=\"{line}\">{name}</text>"
        );
    }
    let _ = write!(
        svg,
        "<text x=\"320\" y=\"408\" text-anchor=\"middle\">{}</text>\n\
         <text x=\"80\" y=\"24\">{}</text>\n\
         <text x=\"580\" y=\"160\">dots: measured</text>\n\
         <text x=\"580\" y=\"178\">dashed: model</text>\n</svg>\n",
        along.name, up.name
    );
    svg
}
