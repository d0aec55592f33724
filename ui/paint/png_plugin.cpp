#include "core/figure/png_plugin.h"

#include <QBuffer>
#include <QGuiApplication>
#include <QImage>
#include <array>

#include "core/base/error.h"
#include "ui/paint/figure_painter.h"

namespace dachlast::ui {
namespace {

/// Qt's remarks about a desktop that is not there concern nobody.
void keep_quiet(QtMsgType type, const QMessageLogContext&, const QString& text) {
  if (type == QtFatalMsg) throw Error(ErrorKind::kFailure, "Qt", text.toStdString());
}

/// Fonts need an application; it sees no screen and none of the program's arguments.
void need_application() {
  if (QCoreApplication::instance() != nullptr) return;
  static std::array<char, 9> name{"dachlast"};
  static std::array<char, 10> option{"-platform"};
  static std::array<char, 10> value{"offscreen"};
  static std::array<char*, 4> arguments{name.data(), option.data(), value.data(), nullptr};
  static int n_arguments = 3;
  qInstallMessageHandler(keep_quiet);
  // Never deleted: at the program's end other parts of Qt may be gone before it.
  [[maybe_unused]] static auto* const application = new QGuiApplication(n_arguments, arguments.data());
}

std::string png_of(const figure::Figure& figure, figure::PictureTheme theme, double scale) {
  need_application();
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  const QImage image = image_of(figure, theme == figure::PictureTheme::kDark ? Theme::kDark : Theme::kLight, scale);
  if (image.isNull() || !image.save(&buffer, "PNG"))
    throw Error(ErrorKind::kFailure, figure.id, "cannot be drawn as a PNG: there is no memory for so many pixels.",
                "Choose a smaller --scale, or write an SVG.");
  return bytes.toStdString();
}

constexpr figure::PngPlugin kPlugin{figure::kPngPluginVersion, png_of};

}  // namespace
}  // namespace dachlast::ui

extern "C" const dachlast::figure::PngPlugin* dachlast_png_plugin() {
  return &dachlast::ui::kPlugin;
}
