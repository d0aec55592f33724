#include "tests/reports/html_checker.h"

#include <algorithm>
#include <array>
#include <regex>
#include <set>

namespace dachlast::reports {
namespace {

constexpr std::array<std::string_view, 5> kVoid = {"meta", "img", "br", "hr", "link"};
// https://html.spec.whatwg.org/#phrasing-content: what p, headings and cells of figures may not hold.
constexpr std::array<std::string_view, 10> kBlocks = {"p",  "div", "table", "section", "figure",
                                                      "ul", "ol",  "dl",    "pre",     "h2"};
constexpr std::array<std::string_view, 6> kPhrasingOnly = {"p", "h1", "h2", "h3", "button", "dt"};

template <class List>
bool among(const List& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

class Checker {
 public:
  explicit Checker(std::string_view html) : rest_(html) {}

  std::vector<std::string> faults() {
    if (!rest_.starts_with("<!DOCTYPE html>\n")) fault("no doctype");
    rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
    while (!rest_.empty()) next();
    for (const std::string& name : open_) fault("not closed: " + name);
    for (const std::string& id : referred_)
      if (!ids_.contains(id)) fault("no element has the id " + id);
    return faults_;
  }

 private:
  void fault(std::string text) {
    if (faults_.size() < 10) faults_.push_back(std::move(text));
  }

  void next() {
    const std::size_t tag = std::min(rest_.find('<'), rest_.size());
    text(rest_.substr(0, tag));
    rest_.remove_prefix(tag);
    if (rest_.empty()) return;
    const std::size_t end = end_of_tag();
    element(std::string(rest_.substr(1, end - 1)));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (!open_.empty() && (open_.back() == "script" || open_.back() == "style")) {
      const std::size_t close = rest_.find("</" + open_.back());
      rest_.remove_prefix(std::min(close, rest_.size()));
    }
  }

  std::size_t end_of_tag() const {
    char quote = 0;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (quote != 0)
        quote = rest_[i] == quote ? 0 : quote;
      else if (rest_[i] == '"')
        quote = '"';
      else if (rest_[i] == '>')
        return i;
    }
    return rest_.size();
  }

  void text(std::string_view words) {
    static const std::regex kEntity("&(amp|lt|gt|quot|#39);");
    const std::string plain = std::regex_replace(std::string(words), kEntity, "");
    if (plain.find_first_of("&>") != std::string::npos) fault("raw sign in text: " + plain.substr(0, 60));
  }

  void element(const std::string& tag) {
    if (tag.starts_with('/')) return close(tag.substr(1));
    static const std::regex kTag(R"re(([a-z][a-zA-Z0-9]*)((?: +[a-zA-Z][a-zA-Z0-9:-]*(?:="[^"<]*")?)*) *(/?))re");
    std::smatch found;
    // Long attributes would overflow the recursion of std::regex; their text is checked above.
    const std::string head = tag.size() > 4000 ? tag.substr(0, tag.find(' ')) : tag;
    if (!std::regex_match(head, found, kTag)) return fault("no tag: <" + tag.substr(0, 80));
    const std::string name = found[1];
    attributes(tag);
    if (among(kBlocks, name) && !open_.empty() && among(kPhrasingOnly, open_.back()))
      fault("<" + name + "> inside <" + open_.back() + ">");
    if (!among(kVoid, name) && !tag.ends_with('/')) open_.push_back(name);
  }

  void close(const std::string& name) {
    if (open_.empty() || open_.back() != name)
      return fault("</" + name + "> closes " + (open_.empty() ? "nothing" : "<" + open_.back() + ">"));
    open_.pop_back();
  }

  void attributes(const std::string& tag) {
    for (const std::string& id : values(tag, " id=\""))
      if (!ids_.insert(id).second) fault("twice: id " + id);
    for (const std::string& list : values(tag, " aria-labelledby=\""))
      for (std::size_t at = 0; at < list.size();) {
        const std::size_t end = std::min(list.find(' ', at), list.size());
        referred_.insert(list.substr(at, end - at));
        at = end + 1;
      }
    for (const std::string& target : values(tag, " href=\"#")) referred_.insert(target);
  }

  static std::vector<std::string> values(const std::string& tag, std::string_view start) {
    std::vector<std::string> found;
    for (std::size_t at = tag.find(start); at != std::string::npos; at = tag.find(start, at + 1)) {
      const std::size_t begin = at + start.size();
      found.push_back(tag.substr(begin, tag.find('"', begin) - begin));
    }
    return found;
  }

  std::string_view rest_;
  std::vector<std::string> open_;
  std::set<std::string> ids_;
  std::set<std::string> referred_;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> html_faults(std::string_view html) {
  return Checker(html).faults();
}

}  // namespace dachlast::reports
