// A small drawing surface over Cairo: crisp lines, measured text, the palette. Private to io/.
#pragma once

#include <cairo.h>

#include <memory>
#include <string>
#include <vector>

namespace eos::io {

struct Colour {
  double red, green, blue, alpha = 1;
};

/// Okabe & Ito, "Color universal design" (2008): distinguishable with every kind of colour vision. The light yellow is
/// last.
Colour palette(int index);
inline constexpr Colour k_ink{0.13, 0.13, 0.15};
inline constexpr Colour k_grey{0.40, 0.40, 0.43};
inline constexpr Colour k_faint{0.88, 0.88, 0.90};

struct Point {
  double x, y;
};
struct Box {
  double left, top, width, height;
  double right() const { return left + width; }
  double bottom() const { return top + height; }
};

enum class Align { left, centre, right };

/// All coordinates are points of the figure; the image has `scale` pixels per point.
class Canvas {
 public:
  /// throws Error E306 when Cairo cannot make a surface of that size.
  Canvas(double width, double height, double scale);
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  double text_width(const std::string& text, double size, bool bold = false) const;
  /// Baseline at y. "^k" draws 10 to the power k.
  void text(Point where, const std::string& text, double size, Align align, Colour colour = k_ink, bool bold = false);
  /// Text rotated by a quarter turn to the left, centred at `where`.
  void vertical_text(Point where, const std::string& text, double size, Colour colour = k_ink);
  void line(Point a, Point b, double width, Colour colour);
  /// A polyline that breaks at points that are not finite.
  void path(const std::vector<Point>& points, double width, Colour colour, bool dashed);
  void area(const std::vector<Point>& outline, Colour colour);
  void box(const Box& box, Colour colour);
  void dot(Point centre, double radius, Colour colour);
  void clip(const Box& box);
  void unclip();
  std::string png() const;

 private:
  void set(Colour colour) const;
  void font(double size, bool bold) const;
  cairo_surface_t* surface_;
  cairo_t* cairo_;
};

/// Breaks a text into lines of at most `width` at spaces.
std::vector<std::string> wrap(const Canvas& canvas, const std::string& text, double size, double width,
                              bool bold = false);
/// The text, cut with an ellipsis where it is wider than `width`.
std::string shortened(const Canvas& canvas, const std::string& text, double size, double width);

}  // namespace eos::io
