#include "cli/flags.h"

#include <gtest/gtest.h>

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
    {"name", 'n', "NAME", "a name", SetGoodText,
     [](void* options) -> void* { return &static_cast<Options*>(options)->name; }},
    {"all", 'a', "", "all of them", SetText,
     [](void* options) -> void* { return &static_cast<Options*>(options)->all; }},
    {"quiet", 'q', "", "", SetText,
     [](void* options) -> void* { return &static_cast<Options*>(options)->quiet; }},
};

// What a little program with -n/--name VALUE, -a/--all and -q/--quiet makes of its arguments:
// "name=x all=true quiet= | positional…", or the error.
std::string Read(const std::vector<std::string_view>& arguments) {
  Options options;
  const auto positional = ReadFlags(arguments, kFlags, &options);
  if (!positional) return positional.error().text;
  std::string text =
      "name=" + options.name + " all=" + options.all + " quiet=" + options.quiet + " |";
  for (const std::string_view argument : *positional) text += " " + std::string(argument);
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
            "name=x all= quiet= | a b --all -n");
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
  static constexpr Flag kTwo[] = {{"name", 'n', "NAME", "a name", nullptr, nullptr},
                                  {"all", 0, "", "all of them", nullptr, nullptr}};
  EXPECT_EQ(DescribeFlags(kTwo),
            "  -n, --name NAME                       a name\n"
            "      --all                             all of them\n");
}

}  // namespace
}  // namespace certlatch
