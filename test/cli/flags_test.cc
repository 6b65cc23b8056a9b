#include "cli/flags.h"

#include <gtest/gtest.h>

#include "base/duration.h"

namespace certlatch {
namespace {

struct Options {
  std::string name;
  std::string all;
  std::string quiet;
};

Status SetGoodText(void* place, std::string_view value) {
  if (value == "bad") return Error{Code::kConfig, "is bad"};
  return SetText(place, value);
}

constexpr Flag kFlags[] = {
    {"name", "NAME", "a name", SetGoodText, CERTLATCH_PLACE(0, Options, name), 'n'},
    {"all", "", "all of them", SetText, CERTLATCH_PLACE(0, Options, all), 'a'},
    {"quiet", "", "", SetText, CERTLATCH_PLACE(0, Options, quiet), 'q'},
};

struct MoreOptions {
  Duration delay{};
  Duration limit{};
};

constexpr Flag kMoreFlags[] = {
    {"delay", "D", "", SetDelay, CERTLATCH_PLACE(1, MoreOptions, delay)},
    {"limit", "D", "", SetLimit, CERTLATCH_PLACE(1, MoreOptions, limit), 'l', "name"},
};

// What a little program with -n/--name VALUE, -a/--all and -q/--quiet makes of its arguments:
// "name=x all=true quiet= | positional…", or the error.
std::string Read(const std::vector<std::string_view>& arguments) {
  Options options;
  MoreOptions more;
  void* const parts[] = {&options, &more};
  const FlagTable tables[] = {kFlags, kMoreFlags};
  Positional positional;
  const Status status = ReadFlags(arguments, tables, parts, positional);
  if (!status) return status.error().text;
  std::string text =
      "name=" + options.name + " all=" + options.all + " quiet=" + options.quiet + " |";
  for (size_t i = 0; i < positional.words.size(); ++i) {
    if (i == positional.before_dashes) text += " --";
    text += " " + std::string(positional.words[i]);
  }
  if (more.delay != Duration::zero()) text += " delay=" + FormatDuration(more.delay);
  if (more.limit != Duration::zero()) text += " limit=" + FormatDuration(more.limit);
  return text;
}

TEST(Flags, AreReadInEveryFormOfPflag) {
  for (const auto& arguments : std::vector<std::vector<std::string_view>>{
           {"--name=x"}, {"--name", "x"}, {"-n", "x"}, {"-nx"}, {"-n=x"}}) {
    EXPECT_EQ(Read(arguments), "name=x all= quiet= |");
  }
  EXPECT_EQ(Read({"--all"}), "name= all=true quiet= |");
  EXPECT_EQ(Read({"--all=false"}), "name= all=false quiet= |");
  EXPECT_EQ(Read({"--all=0", "-q=T"}), "name= all=false quiet=true |");
  EXPECT_EQ(Read({"-aq"}), "name= all=true quiet=true |");
  EXPECT_EQ(Read({"-aqnx"}), "name=x all=true quiet=true |");
  EXPECT_EQ(Read({"--name="}), "name= all= quiet= |");
}

TEST(Flags, StandAnywhereUntilTwoDashes) {
  EXPECT_EQ(Read({"a", "--name", "x", "b", "--", "--all", "-n"}),
            "name=x all= quiet= | a b -- --all -n");
  EXPECT_EQ(Read({"--", "--", "a"}), "name= all= quiet= | -- -- a");
  EXPECT_EQ(Read({"-", "b"}), "name= all= quiet= | - b");
}

TEST(Flags, TakeASwitchsNextArgumentAsPositional) {
  EXPECT_EQ(Read({"--all", "false"}), "name= all=true quiet= | false");
}

TEST(Flags, TheLastOfARepeatedFlagWins) {
  EXPECT_EQ(Read({"-n", "x", "-n", "y"}), "name=y all= quiet= |");
}

TEST(Flags, AreRefusedInPflagsWords) {
  EXPECT_EQ(Read({"--x"}), "unknown flag: --x");
  EXPECT_EQ(Read({"--nam=x"}), "unknown flag: --nam");
  EXPECT_EQ(Read({"-x"}), "unknown shorthand flag: 'x' in -x");
  EXPECT_EQ(Read({"-ax"}), "unknown shorthand flag: 'x' in -x");
  EXPECT_EQ(Read({"--name"}), "flag needs an argument: --name");
  EXPECT_EQ(Read({"-n"}), "flag needs an argument: 'n' in -n");
  EXPECT_EQ(Read({"--all=maybe"}),
            "invalid argument \"maybe\" for \"-a, --all\" flag: strconv.ParseBool: parsing "
            "\"maybe\": invalid syntax");
  EXPECT_EQ(Read({"-n", "bad"}), "invalid argument \"bad\" for \"-n, --name\" flag: is bad");
  EXPECT_EQ(Read({"--\x1b=1"}), "unknown flag: --\\x1b");
}

TEST(Flags, AreDescribedOneALine) {
  static constexpr Flag kTwo[] = {{"name", "NAME", "a name", nullptr, {}, 'n'},
                                  {"all", "", "all of them", nullptr, {}}};
  std::string text;
  DescribeFlags(kTwo, text);
  EXPECT_EQ(text,
            "  -n, --name NAME                       a name\n"
            "      --all                             all of them\n");
}

TEST(Flags, OfSeveralTablesPutTheirValuesInTheirOwnParts) {
  EXPECT_EQ(Read({"--delay=0", "-nx", "-l5s", "a"}), "name=x all= quiet= | a limit=5s");
}

TEST(Flags, ThatQualifyAnotherNeedIt) {
  EXPECT_EQ(Read({"--limit=5s"}), "--limit needs --name");
  EXPECT_EQ(Read({"-l5s", "--", "--name=x"}), "--limit needs --name");
  EXPECT_EQ(Read({"--limit=5s", "--name="}), "name= all= quiet= | limit=5s");
}

TEST(Flags, BoundDurations) {
  EXPECT_EQ(Read({"--delay=-1ns"}),
            "invalid argument \"-1ns\" for \"--delay\" flag: must not be negative");
  EXPECT_EQ(Read({"--name=x", "--limit=0"}),
            "invalid argument \"0\" for \"-l, --limit\" flag: must be more than 0");
}

TEST(Flags, AreNamedOnAsFewLinesAsTheyNeed) {
  std::string three;
  NameFlags(kFlags, three);
  EXPECT_EQ(three, "  --name --all --quiet\n");
  const std::vector<Flag> many(15, kFlags[0]);
  std::string fourteen;
  NameFlags(std::span(many).first(14), fourteen);
  EXPECT_EQ(fourteen.find('\n'), 99U);
  std::string fifteen;
  NameFlags(many, fifteen);
  EXPECT_EQ(fifteen, fourteen + "  --name\n");
}

TEST(Flags, FindAWordAmongItsChoices) {
  EXPECT_EQ(IndexOf("watch", "watch|on-change"), 0);
  EXPECT_EQ(IndexOf("on-change", "watch|on-change"), 1);
  EXPECT_EQ(IndexOf("on", "watch|on-change"), -1);
  EXPECT_EQ(IndexOf("", "watch|on-change"), -1);
}

}  // namespace
}  // namespace certlatch
