#include "plot_canvas.hpp"

#include <fmt/format.h>

#include <cmath>
#include <sstream>

#include "eos/core/error.hpp"
#include "eos/core/utf8.hpp"

namespace eos::io {

Colour palette(int index) {
  static constexpr Colour k_colours[] = {{0.000, 0.447, 0.698}, {0.835, 0.369, 0.000}, {0.000, 0.620, 0.451},
                                         {0.902, 0.624, 0.000}, {0.800, 0.475, 0.655}, {0.337, 0.706, 0.914},
                                         {0.250, 0.250, 0.270}, {0.941, 0.894, 0.259}};
  constexpr int n = static_cast<int>(std::size(k_colours));
  return k_colours[((index % n) + n) % n];
}

Canvas::Canvas(double width, double height, double scale)
    : surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(width * scale)),
                                          static_cast<int>(std::ceil(height * scale)))),
      cairo_(cairo_create(surface_)) {
  if (cairo_status(cairo_) != CAIRO_STATUS_SUCCESS) {
    const std::string why = cairo_status_to_string(cairo_status(cairo_));
    cairo_destroy(cairo_);
    cairo_surface_destroy(surface_);
    throw core::Error("E306", fmt::format("cannot make a picture of {} x {} points: {}", width, height, why));
  }
  cairo_scale(cairo_, scale, scale);
  set({1, 1, 1});
  cairo_paint(cairo_);
  cairo_font_options_t* options = cairo_font_options_create();
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_set_font_options(cairo_, options);
  cairo_font_options_destroy(options);
  cairo_set_line_join(cairo_, CAIRO_LINE_JOIN_ROUND);
}

Canvas::~Canvas() {
  cairo_destroy(cairo_);
  cairo_surface_destroy(surface_);
}

void Canvas::set(Colour c) const { cairo_set_source_rgba(cairo_, c.red, c.green, c.blue, c.alpha); }

void Canvas::font(double size, bool bold) const {
  cairo_select_font_face(cairo_, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cairo_, size);
}

namespace {

constexpr double k_raised = 0.72;  ///< size of an exponent

/// The exponent of "^k", with a typographic minus.
std::string exponent_of(const std::string& text) {
  return text.size() > 1 && text[1] == '-' ? "\u2212" + text.substr(2) : text.substr(1);
}

}  // namespace

double Canvas::text_width(const std::string& text, double size, bool bold) const {
  if (text.starts_with('^')) return text_width("10", size) + text_width(exponent_of(text), k_raised * size);
  font(size, bold);
  cairo_text_extents_t extents;
  cairo_text_extents(cairo_, core::to_valid_utf8(text).c_str(), &extents);
  return extents.x_advance;
}

void Canvas::text(Point where, const std::string& text, double size, Align align, Colour colour, bool bold) {
  const double width = text_width(text, size, bold);
  const double left = where.x - (align == Align::left ? 0 : align == Align::centre ? 0.5 * width : width);
  set(colour);
  if (text.starts_with('^')) {
    const double base = text_width("10", size);
    font(size, bold);
    cairo_move_to(cairo_, left, where.y);
    cairo_show_text(cairo_, "10");
    font(k_raised * size, bold);
    cairo_move_to(cairo_, left + base, where.y - 0.38 * size);
    cairo_show_text(cairo_, exponent_of(text).c_str());
    return;
  }
  font(size, bold);
  cairo_move_to(cairo_, left, where.y);
  cairo_show_text(cairo_, core::to_valid_utf8(text).c_str());
}

void Canvas::vertical_text(Point where, const std::string& text, double size, Colour colour) {
  cairo_save(cairo_);
  cairo_translate(cairo_, where.x, where.y);
  cairo_rotate(cairo_, -std::acos(0.0));
  this->text({0, 0}, text, size, Align::centre, colour);
  cairo_restore(cairo_);
}

void Canvas::line(Point a, Point b, double width, Colour colour) {
  set(colour);
  cairo_set_line_width(cairo_, width);
  cairo_move_to(cairo_, a.x, a.y);
  cairo_line_to(cairo_, b.x, b.y);
  cairo_stroke(cairo_);
}

void Canvas::path(const std::vector<Point>& points, double width, Colour colour, bool dashed) {
  set(colour);
  cairo_set_line_width(cairo_, width);
  const double dashes[] = {4.5 * width / 1.6, 2.6 * width / 1.6};
  cairo_set_dash(cairo_, dashes, dashed ? 2 : 0, 0);
  bool open = false;
  for (const Point& p : points) {
    const bool finite = std::isfinite(p.x) && std::isfinite(p.y);
    if (finite && open)
      cairo_line_to(cairo_, p.x, p.y);
    else if (finite)
      cairo_move_to(cairo_, p.x, p.y);
    open = finite;
  }
  cairo_stroke(cairo_);
  cairo_set_dash(cairo_, nullptr, 0, 0);
}

void Canvas::area(const std::vector<Point>& outline, Colour colour) {
  set(colour);
  for (std::size_t i = 0; i < outline.size(); ++i)
    i == 0 ? cairo_move_to(cairo_, outline[i].x, outline[i].y) : cairo_line_to(cairo_, outline[i].x, outline[i].y);
  cairo_close_path(cairo_);
  cairo_fill(cairo_);
}

void Canvas::box(const Box& b, Colour colour) {
  set(colour);
  cairo_rectangle(cairo_, b.left, b.top, b.width, b.height);
  cairo_fill(cairo_);
}

void Canvas::dot(Point centre, double radius, Colour colour) {
  if (!std::isfinite(centre.x) || !std::isfinite(centre.y)) return;
  set({1, 1, 1});
  cairo_new_sub_path(cairo_);
  cairo_arc(cairo_, centre.x, centre.y, radius + 0.7, 0, 4 * std::acos(0.0));
  cairo_fill(cairo_);
  set(colour);
  cairo_arc(cairo_, centre.x, centre.y, radius, 0, 4 * std::acos(0.0));
  cairo_fill(cairo_);
}

void Canvas::clip(const Box& b) {
  cairo_save(cairo_);
  cairo_rectangle(cairo_, b.left, b.top, b.width, b.height);
  cairo_clip(cairo_);
}

void Canvas::unclip() { cairo_restore(cairo_); }

std::string Canvas::png() const {
  std::string bytes;
  const auto append = [](void* target, const unsigned char* data, unsigned length) -> cairo_status_t {
    try {
      static_cast<std::string*>(target)->append(reinterpret_cast<const char*>(data), length);
      return CAIRO_STATUS_SUCCESS;
    } catch (...) {
      return CAIRO_STATUS_NO_MEMORY;
    }
  };
  const cairo_status_t status = cairo_surface_write_to_png_stream(surface_, append, &bytes);
  if (status != CAIRO_STATUS_SUCCESS)
    throw core::Error("E306", fmt::format("Cairo cannot encode the picture: {}", cairo_status_to_string(status)));
  return bytes;
}

std::vector<std::string> wrap(const Canvas& canvas, const std::string& text, double size, double width, bool bold) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!lines.empty() && canvas.text_width(lines.back() + " " + word, size, bold) <= width)
      lines.back() += " " + word;
    else
      lines.push_back(word);
  }
  return lines;
}

std::string shortened(const Canvas& canvas, const std::string& text, double size, double width) {
  if (canvas.text_width(text, size) <= width) return text;
  std::string front = core::to_valid_utf8(text);
  while (!front.empty() && canvas.text_width(front + "\u2026", size) > width) {
    front.pop_back();
    while (!front.empty() && !core::is_valid_utf8(front)) front.pop_back();
  }
  return front + "\u2026";
}

}  // namespace eos::io
