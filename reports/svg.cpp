#include "reports/svg.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>

#include "core/figure/palette.h"
#include "reports/escape.h"

namespace dachlast::reports {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks twenty of its names

// A hundredth of a pixel: enough at any zoom, and short.
std::string number(double value) {
  const double rounded = std::round(value * 100.0) / 100.0;
  return fmt::format("{:g}", rounded == 0.0 ? 0.0 : rounded);
}

std::string colour(Role role) {
  return fmt::format("var(--{})", palette_entry(role).name);
}

std::string hatch_id(const Figure& figure, Hatch hatch, Role role) {
  constexpr std::string_view kNames[] = {"none", "forward", "backward", "dots"};
  return fmt::format("{}-{}-{}", figure.id, kNames[static_cast<int>(hatch)], palette_entry(role).name);
}

std::string stroke_attributes(const Stroke& stroke) {
  constexpr std::string_view kDashes[] = {"", " stroke-dasharray=\"6 4\"", " stroke-dasharray=\"1.5 3.5\""};
  return fmt::format("stroke=\"{}\" stroke-width=\"{}\"{}", colour(stroke.role), number(stroke.width),
                     kDashes[static_cast<int>(stroke.dash)]);
}

std::string points_attribute(const std::vector<Point>& points) {
  std::string text;
  for (const Point& p : points) text += fmt::format("{}{},{}", text.empty() ? "" : " ", number(p.x), number(p.y));
  return text;
}

class Writer {
 public:
  explicit Writer(const Figure& figure) : figure_(figure) {}
  std::string write();

  void operator()(const Line& line);
  void operator()(const Polyline& line);
  void operator()(const Area& area);
  void operator()(const Rect& rect);
  void operator()(const Marker& marker);
  void operator()(const Text& text);
  void operator()(const HitBox& hit);

 private:
  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  void definitions();
  void pattern(Hatch hatch, Role role);

  const Figure& figure_;
  std::string out_;
};

void Writer::operator()(const Line& line) {
  put("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {}/>\n", number(line.from.x), number(line.from.y),
      number(line.to.x), number(line.to.y), stroke_attributes(line.stroke));
}

void Writer::operator()(const Polyline& line) {
  put("<polyline points=\"{}\" fill=\"none\" stroke-linejoin=\"round\" {}/>\n", points_attribute(line.points),
      stroke_attributes(line.stroke));
}

void Writer::operator()(const Area& area) {
  const std::string points = points_attribute(area.outline);
  put("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"{}\"/>\n", points, colour(area.role), number(area.opacity));
  if (area.hatch != Hatch::kNone)
    put("<polygon points=\"{}\" fill=\"url(#{})\"/>\n", points, hatch_id(figure_, area.hatch, area.role));
}

void Writer::operator()(const Rect& rect) {
  const auto place = fmt::format("x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", number(rect.box.x), number(rect.box.y),
                                 number(rect.box.width), number(rect.box.height));
  put("<rect {} fill=\"{}\" fill-opacity=\"{}\"/>\n", place, colour(rect.role), number(rect.opacity));
  if (rect.hatch != Hatch::kNone)
    put("<rect {} fill=\"url(#{})\"/>\n", place, hatch_id(figure_, rect.hatch, rect.role));
}

void Writer::operator()(const Marker& marker) {
  const bool filled = marker.fill == MarkerFill::kFilled;
  // A rim in the surface colour keeps overlapping markers apart.
  const std::string paint =
      filled ? fmt::format("fill=\"{}\" stroke=\"var(--surface)\" stroke-width=\"1.25\"", colour(marker.role))
             : fmt::format("fill=\"var(--surface)\" stroke=\"{}\" stroke-width=\"1.75\"", colour(marker.role));
  if (marker.shape == MarkerShape::kCircle) {
    put("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}/>\n", number(marker.at.x), number(marker.at.y),
        number(marker.size / 2), paint);
    return;
  }
  // Squares and circles of one size have equal area: side = diameter · sqrt(π) / 2.
  const double side = marker.size * 0.8862;
  put("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {}/>\n", number(marker.at.x - side / 2),
      number(marker.at.y - side / 2), number(side), number(side), paint);
}

void Writer::operator()(const Text& text) {
  constexpr std::string_view kAnchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
  const std::string turn = text.rotation_deg == 0.0
                               ? std::string()
                               : fmt::format(" transform=\"rotate({} {} {})\"", number(text.rotation_deg),
                                             number(text.at.x), number(text.at.y));
  put("<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{}{}{}{}>{}</text>\n", number(text.at.x), number(text.at.y),
      number(text.size), colour(text.role), kAnchors[static_cast<int>(text.anchor)], turn,
      text.weight == Weight::kBold ? " font-weight=\"600\"" : "", text.halo == Halo::kSurface ? " class=\"halo\"" : "",
      html_escape(text.text));
}

void Writer::operator()(const HitBox& hit) {
  put("<rect class=\"hit\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" pointer-events=\"all\" "
      "data-datum=\"{}\"><title>{}</title></rect>\n",
      number(hit.box.x), number(hit.box.y), number(hit.box.width), number(hit.box.height), html_escape(hit.datum),
      html_escape(hit.tooltip));
}

void Writer::pattern(Hatch hatch, Role role) {
  const std::string id = hatch_id(figure_, hatch, role);
  const std::string ink = colour(role);
  if (hatch == Hatch::kDots) {
    put("<pattern id=\"{}\" width=\"9\" height=\"9\" patternUnits=\"userSpaceOnUse\"><circle cx=\"4.5\" cy=\"4.5\" "
        "r=\"0.7\" "
        "fill=\"{}\" fill-opacity=\"0.45\"/></pattern>\n",
        id, ink);
    return;
  }
  put("<pattern id=\"{}\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" "
      "patternTransform=\"rotate({})\"><line "
      "x1=\"0\" y1=\"0\" x2=\"0\" y2=\"7\" stroke=\"{}\" stroke-width=\"1\" stroke-opacity=\"0.35\"/></pattern>\n",
      id, hatch == Hatch::kForward ? 45 : -45, ink);
}

void Writer::definitions() {
  std::array<std::array<bool, kRoleCount>, 4> needed{};
  const auto note = [&](Hatch hatch, Role role) {
    if (hatch != Hatch::kNone) needed[static_cast<std::size_t>(hatch)][static_cast<std::size_t>(role)] = true;
  };
  for (const auto& primitive : figure_.primitives) {
    if (const auto* area = std::get_if<Area>(&primitive)) note(area->hatch, area->role);
    if (const auto* rect = std::get_if<Rect>(&primitive)) note(rect->hatch, rect->role);
  }
  out_ += "<defs>\n";
  for (std::size_t hatch = 0; hatch < needed.size(); ++hatch)
    for (std::size_t role = 0; role < needed[hatch].size(); ++role)
      if (needed[hatch][role]) pattern(static_cast<Hatch>(hatch), static_cast<Role>(role));
  out_ += "</defs>\n";
}

std::string Writer::write() {
  put("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"figure\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" "
      "role=\"img\" "
      "aria-labelledby=\"{}-title {}-desc\" font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', "
      "'DejaVu Sans', sans-serif\">\n",
      number(figure_.size.width), number(figure_.size.height), number(figure_.size.width), number(figure_.size.height),
      figure_.id, figure_.id);
  put("<title id=\"{}-title\">{}</title>\n<desc id=\"{}-desc\">{}</desc>\n", figure_.id, html_escape(figure_.title),
      figure_.id, html_escape(figure_.description));
  definitions();
  for (const auto& primitive : figure_.primitives) std::visit(*this, primitive);
  out_ += "</svg>\n";
  return std::move(out_);
}

std::string variables(Rgb PaletteEntry::*theme) {
  std::string css;
  for (const auto& entry : palette()) {
    const Rgb c = entry.*theme;
    css += fmt::format("--{}:#{:02x}{:02x}{:02x};", entry.name, c.r, c.g, c.b);
  }
  return css;
}

}  // namespace

std::string svg(const figure::Figure& figure) {
  return Writer(figure).write();
}

std::string palette_css() {
  const std::string light = variables(&PaletteEntry::light);
  const std::string dark = variables(&PaletteEntry::dark);
  return fmt::format(
      ":root{{color-scheme:light;{}}}\n"
      "@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{}}}}}\n"
      "@media screen{{:root[data-theme=dark]{{color-scheme:dark;{}}}}}\n",
      light, dark, dark);
}

std::string svg_file(const figure::Figure& figure) {
  std::string text = svg(figure);
  const std::size_t after_tag = text.find(">\n") + 2;
  const std::string background = fmt::format(
      "<style>{}.halo{{paint-order:stroke;stroke:var(--surface);stroke-width:3px;stroke-linejoin:round}}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"var(--surface)\"/>\n",
      palette_css());
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + text.insert(after_tag, background);
}

}  // namespace dachlast::reports
