// Results as text, JSON and CSV.
#include "report.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli_support.hpp"

namespace eos::test {
namespace {

using cli::Cell;
using cli::Document;
using cli::Format;
using cli::Style;

Document sample() {
  Document document("eos.sample/1");
  document.set("status", std::string("optimal"), "status");
  document.set("hidden", std::int64_t{7});
  cli::Table& table = document.table("runs", "Runs",
                                     {{"name", "method"},
                                      {"energy", "energy", Style::energy},
                                      {"writes", "writes", Style::count},
                                      {"gain", "saving", Style::factor}});
  table.add({std::string("dense"), 0.0123, std::int64_t{1234567}, 1.0});
  table.add({std::string("a, \"b\""), 0.00061, std::int64_t{250}, Cell{}});
  document.note("A remark.");
  return document;
}

std::string text_of(const Document& document, Format format) {
  std::ostringstream out;
  document.print(out, format, false);
  return out.str();
}

TEST(Report, text_is_aligned_with_one_unit_for_all_energies) {
  EXPECT_EQ(text_of(sample(), Format::text),
            "status  optimal\n"
            "\n"
            "Runs; energy in µJ\n"
            "  method  energy  writes  saving\n"
            "  ──────  ──────  ──────  ──────\n"
            "  dense    12300  1.23 M  1.00 ×\n"
            "  a, \"b\"     610     250       –\n"
            "\n"
            "A remark.\n");
}

TEST(Report, json_holds_plain_numbers_and_the_schema) {
  const auto json = nlohmann::json::parse(text_of(sample(), Format::json));
  EXPECT_EQ(json["schema"], "eos.sample/1");
  EXPECT_EQ(json["hidden"], 7);
  EXPECT_EQ(json["runs"][0]["energy"], 0.0123);
  EXPECT_EQ(json["runs"][0]["writes"], 1234567);
  EXPECT_TRUE(json["runs"][1]["gain"].is_null());
  EXPECT_EQ(json["notes"][0], "A remark.");
}

TEST(Report, csv_holds_the_first_table_quoted) {
  EXPECT_EQ(text_of(sample(), Format::csv),
            "name,energy,writes,gain\ndense,0.0123,1234567,1.0\n\"a, \"\"b\"\"\",0.00061,250,\n");
}

TEST(Report, empty_tables_stay_in_json_and_vanish_from_text) {
  Document document("eos.sample/1");
  document.table("rows", "Rows", {{"name", "name"}});
  EXPECT_EQ(text_of(document, Format::text), "");
  EXPECT_TRUE(nlohmann::json::parse(text_of(document, Format::json))["rows"].empty());
}

TEST(Numbers, si_prefixes_reach_from_atto_to_tera) {
  EXPECT_EQ(cli::si(1.69e-12, "J"), "1.69 pJ");
  EXPECT_EQ(cli::si(0, "J"), "0.00 J");
  EXPECT_EQ(cli::si(999.9, "J", 4), "999.9 J");
  EXPECT_EQ(cli::si(1e3, ""), "1.00 k");
  EXPECT_EQ(cli::si(std::nan(""), "J"), "–");
}

TEST(Numbers, times_read_like_a_clock) {
  EXPECT_EQ(cli::clock_time(59.4), "0:59");
  EXPECT_EQ(cli::clock_time(125), "2:05");
  EXPECT_EQ(cli::clock_time(3725), "1:02:05");
}

TEST(Wrap, breaks_at_spaces_and_counts_characters_not_bytes) {
  EXPECT_EQ(cli::wrapped("aa ×× cc", 0, 5), "aa ××\ncc\n");
  EXPECT_EQ(cli::wrapped("a\nb", 2), "  a\n  b\n");
  EXPECT_EQ(cli::wrapped("- aa bb cc\n  laid out already", 0, 7), "- aa bb\n  cc\n  laid out already\n");
}

TEST(Diagnostics, show_place_line_caret_help_and_where_to_read_on) {
  core::Diagnostic d{
      "E102", "unknown key 'thershold'", "mlp.toml", 12, 3, "  thershold = 2e-4", "did you mean 'threshold'?"};
  core::Diagnostic e{"E105", "the key 'epochs' is missing", "mlp.toml", 0, 0, "", ""};
  std::ostringstream err;
  cli::print_error(err, core::Error(std::vector<core::Diagnostic>{d, e}), false);
  EXPECT_EQ(err.str(),
            "error[E102]: unknown key 'thershold'\n"
            "   --> mlp.toml:12:3\n"
            "12 |   thershold = 2e-4\n"
            "   |   ^\n"
            "   help: did you mean 'threshold'?\n"
            "   see: eos explain E102\n"
            "error[E105]: the key 'epochs' is missing\n"
            "  --> mlp.toml\n"
            "  see: eos explain E105\n");
}

}  // namespace
}  // namespace eos::test
