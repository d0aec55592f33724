#include "ui/paint/figure_painter.h"

#include <QCache>
#include <QImage>
#include <QPainter>
#include <QPainterPath>
#include <QPolygonF>
#include <QtMath>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <deque>

namespace dachlast::ui {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

QPointF point_of(Point p) {
  return {p.x, p.y};
}

QRectF rect_of(const Box& box) {
  return {box.x, box.y, box.width, box.height};
}

QPolygonF polygon_of(const std::vector<Point>& points) {
  QPolygonF polygon;
  polygon.reserve(static_cast<int>(points.size()));
  for (const Point& p : points) polygon << point_of(p);
  return polygon;
}

constexpr double kHalo = 2.0;  // around a text
constexpr int kMostOutlined = 2000;

/// Draws one primitive after the other, by the rules of the SVG renderer.
class Artist {
 public:
  Artist(QPainter& painter, Theme theme) : painter_(painter), font_(painter.font()) {
    painter_.setRenderHint(QPainter::Antialiasing);
    for (int role = 0; role < kRoleCount; ++role)
      inks_[static_cast<std::size_t>(role)] = colour(static_cast<Role>(role), theme);
  }

  void operator()(const Line& line) {
    if (isHairline(line)) return fillHairline(line);
    edges(Edges::kSmooth);
    painter_.setPen(penOf(line.stroke));
    painter_.drawLine(point_of(line.from), point_of(line.to));
  }

  void operator()(const Polyline& line) {
    edges(Edges::kSmooth);
    painter_.setPen(penOf(line.stroke));
    painter_.setBrush(Qt::NoBrush);
    painter_.drawPolyline(polygon_of(line.points));
  }

  void operator()(const Area& area) {
    edges(Edges::kSmooth);
    QPainterPath path;
    path.addPolygon(polygon_of(area.outline));
    fill(path, area.role, area.opacity, area.hatch);
  }

  void operator()(const Rect& rect) {
    if (rect.hatch == Hatch::kNone) return fillPlain(rect);
    edges(Edges::kSmooth);
    QPainterPath path;
    path.addRect(rect_of(rect.box));
    fill(path, rect.role, rect.opacity, rect.hatch);
  }

  void operator()(const Marker& marker) {
    edges(Edges::kSmooth);
    const bool filled = marker.fill == MarkerFill::kFilled;
    const QColor ink = inkOf(marker.role);
    const QColor surface = inkOf(Role::kSurface);
    painter_.setPen(QPen(filled ? surface : ink, filled ? 1.25 : 1.75));
    painter_.setBrush(filled ? ink : surface);
    const QPointF at = point_of(marker.at);
    if (marker.shape == MarkerShape::kCircle) {
      painter_.drawEllipse(at, marker.size / 2, marker.size / 2);
      return;
    }
    // Squares and circles of one size have equal area: side = diameter · sqrt(π) / 2.
    const double side = marker.size * 0.8862;
    painter_.drawRect(QRectF(at.x() - side / 2, at.y() - side / 2, side, side));
  }

  void operator()(const Text& text) {
    const QString words = to_qt(text.text);
    const Typeface& face = typeface(qMax(1, qRound(text.size)), text.weight);
    const double width = text.anchor == Anchor::kStart ? 0.0 : face.metrics.horizontalAdvance(words);
    const double shift = text.anchor == Anchor::kMiddle ? width / 2 : width;
    painter_.setFont(face.font);
    if (text.rotation_deg == 0.0 && text.halo == Halo::kNone) {
      painter_.setPen(inkOf(text.role));
      painter_.drawText(point_of(text.at) - QPointF(shift, 0), words);
      return;
    }
    if (text.rotation_deg == 0.0)
      return drawOutlined(face, words, inkOf(text.role), point_of(text.at) - QPointF(shift, 0));
    edges(Edges::kSmooth);
    painter_.save();
    painter_.translate(point_of(text.at));
    painter_.rotate(text.rotation_deg);
    if (text.halo == Halo::kSurface) drawHalo(face.font, words, shift);
    painter_.setPen(inkOf(text.role));
    painter_.drawText(QPointF(-shift, 0), words);
    painter_.restore();
  }

  void operator()(const HitBox&) {}

 private:
  struct Typeface {
    int pixels;
    figure::Weight weight;
    QFont font;
    QFontMetricsF metrics;
    QString key;  // of the font, whatever of it changes while the program runs
  };
  enum class Edges : std::uint8_t { kSmooth, kSharp };

  const QColor& inkOf(Role role) const { return inks_[static_cast<std::size_t>(role)]; }

  /// A figure has a handful of sizes and thousands of texts.
  const Typeface& typeface(int pixels, figure::Weight weight) {
    for (const Typeface& face : faces_)
      if (face.pixels == pixels && face.weight == weight) return face;
    font_.setPixelSize(pixels);
    font_.setWeight(weight == figure::Weight::kBold ? QFont::DemiBold : QFont::Normal);
    return faces_.emplace_back(Typeface{pixels, weight, font_, QFontMetricsF(font_), font_.key()});
  }

  void edges(Edges wanted) {
    if (edges_ == wanted) return;
    edges_ = wanted;
    painter_.setRenderHint(QPainter::Antialiasing, wanted == Edges::kSmooth);
  }

  QPen penOf(const Stroke& stroke) const {
    QPen pen(inkOf(stroke.role), stroke.width, Qt::SolidLine, Qt::FlatCap, Qt::RoundJoin);
    // Qt counts dashes in widths of the pen.
    if (stroke.dash == Dash::kDashed) pen.setDashPattern({6 / stroke.width, 4 / stroke.width});
    if (stroke.dash == Dash::kDotted) pen.setDashPattern({1.5 / stroke.width, 3.5 / stroke.width});
    return pen;
  }

  // Timelines and maps are thousands of these: no path is made for them, and those on whole pixels are not smoothed.
  void fillPlain(const Rect& rect) {
    const QRectF box = rect_of(rect.box);
    const QRect whole = box.toRect();
    edges(QRectF(whole) == box ? Edges::kSharp : Edges::kSmooth);
    QColor ink = inkOf(rect.role);
    ink.setAlphaF(static_cast<float>(rect.opacity));
    painter_.fillRect(box, ink);
  }

  void fill(const QPainterPath& path, Role role, double opacity, Hatch hatch) {
    QColor ink = inkOf(role);
    ink.setAlphaF(static_cast<float>(opacity));
    painter_.fillPath(path, ink);
    if (hatch == Hatch::kNone) return;
    ink.setAlphaF(hatch == Hatch::kDots ? 0.45F : 0.35F);
    painter_.save();
    painter_.setClipPath(path, Qt::IntersectClip);
    hatch == Hatch::kDots ? drawDots(path.boundingRect(), ink) : drawLines(path.boundingRect(), ink, hatch);
    painter_.restore();
  }

  void drawLines(const QRectF& box, const QColor& ink, Hatch hatch) {
    constexpr double kPitch = 7.0 * M_SQRT2;  // 7 across the lines, which lie at 45°
    painter_.setPen(QPen(ink, 1.0));
    const double height = box.height();
    for (double x = box.left() - height; x < box.right(); x += kPitch) {
      const double from = hatch == Hatch::kForward ? x + height : x;
      const double to = hatch == Hatch::kForward ? x : x + height;
      painter_.drawLine(QPointF(from, box.top()), QPointF(to, box.bottom()));
    }
  }

  void drawDots(const QRectF& box, const QColor& ink) {
    constexpr double kPitch = 9.0;
    painter_.setPen(Qt::NoPen);
    painter_.setBrush(ink);
    for (double y = box.top() + kPitch / 2; y < box.bottom(); y += kPitch)
      for (double x = box.left() + kPitch / 2; x < box.right(); x += kPitch)
        painter_.drawEllipse(QPointF(x, y), 0.7, 0.7);
  }

  void drawHalo(const QFont& font, const QString& words, double shift) { outline(painter_, font, words, {-shift, 0}); }

  void outline(QPainter& painter, const QFont& font, const QString& words, QPointF at) const {
    QPainterPath path;
    path.addText(at, font, words);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(inkOf(Role::kSurface), 2.0 * kHalo, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.drawPath(path);
  }

  /// Outlining a text takes longer than the rest of a chart, and the next frame mostly holds the same words: they are kept as
  /// pictures, a little library a thread.
  void drawOutlined(const Typeface& face, const QString& words, const QColor& ink, QPointF at) {
    thread_local QCache<QString, QImage> library(kMostOutlined);
    const double scale = painter_.device()->devicePixelRatioF() * painter_.worldTransform().m11();
    const QString key = QStringLiteral("%1|%2|%3|%4|%5")
                            .arg(face.key)
                            .arg(ink.rgba())
                            .arg(inkOf(Role::kSurface).rgba())
                            .arg(scale)
                            .arg(words);
    const QRectF box =
        face.metrics.boundingRect(words).adjusted(-2 * kHalo, -2 * kHalo, 2 * kHalo, 2 * kHalo).toAlignedRect();
    QImage* picture = library.object(key);
    if (picture == nullptr) {
      picture = new QImage(outlined(face, words, ink, box, scale));
      if (!library.insert(key, picture)) return;
    }
    // On whole pixels: a picture between them would blur.
    const QPointF corner = at + box.topLeft();
    painter_.drawImage(QPointF(std::round(corner.x() * scale) / scale, std::round(corner.y() * scale) / scale),
                       *picture);
  }

  QImage outlined(const Typeface& face, const QString& words, const QColor& ink, const QRectF& box,
                  double scale) const {
    QImage picture((box.size() * scale).toSize().expandedTo({1, 1}), QImage::Format_ARGB32_Premultiplied);
    picture.setDevicePixelRatio(scale);
    picture.fill(Qt::transparent);
    QPainter painter(&picture);
    painter.setRenderHint(QPainter::Antialiasing);
    outline(painter, face.font, words, -box.topLeft());
    painter.setFont(face.font);
    painter.setPen(ink);
    painter.drawText(-box.topLeft(), words);
    return picture;
  }

  /// Grid lines, axes and ticks: upright or level, a pixel wide.
  static bool isHairline(const Line& line) {
    return line.stroke.dash == Dash::kSolid && line.stroke.width <= 1.0 &&
           (line.from.x == line.to.x || line.from.y == line.to.y);
  }

  /// On whole pixels they are crisp, and filled at once.
  void fillHairline(const Line& line) {
    edges(Edges::kSharp);
    const auto [left, right] = std::minmax(line.from.x, line.to.x);
    const auto [top, bottom] = std::minmax(line.from.y, line.to.y);
    const bool upright = line.from.x == line.to.x;
    const double x = upright ? std::floor(left) : left;
    const double y = upright ? top : std::floor(top);
    painter_.fillRect(QRectF(x, y, upright ? 1.0 : right - left, upright ? bottom - top : 1.0),
                      inkOf(line.stroke.role));
  }

  QPainter& painter_;
  QFont font_;
  std::array<QColor, kRoleCount> inks_;
  std::deque<Typeface> faces_;  // references into it stay
  Edges edges_ = Edges::kSmooth;
};

}  // namespace

QString to_qt(std::string_view utf8) {
  return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
}

void paint(QPainter& painter, const Figure& figure, Theme theme) {
  Artist artist(painter, theme);
  for (const auto& primitive : figure.primitives) std::visit(artist, primitive);
}

QImage image_of(const Figure& figure, Theme theme, double scale) {
  QImage image(qCeil(figure.size.width * scale), qCeil(figure.size.height * scale),
               QImage::Format_ARGB32_Premultiplied);
  image.fill(colour(Role::kSurface, theme));
  QPainter painter(&image);
  painter.scale(scale, scale);
  paint(painter, figure, theme);
  return image;
}

}  // namespace dachlast::ui
