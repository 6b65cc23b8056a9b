#include "domain/jsonpath.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "test/domain/jsonpath_object.h"

namespace certlatch {
namespace {

// Every row was printed by kubectl 1.32 for the object in jsonpath_object.h, with
// `kubectl label --local -f FILE -o jsonpath=TEMPLATE`, and again with
// `--allow-missing-template-keys=false` where that differs.
struct Row {
  const char* text;
  const char* printed;
  const char* strict = nullptr;  // nullptr: the same
};

std::string Printed(std::string_view text, const Json& root, bool allow_missing_keys) {
  const Result<JsonPath> path = JsonPath::Parse(text);
  if (!path) return "error: " + path.error().text;
  const Result<std::string> printed = path->Print(root, allow_missing_keys);
  return printed ? *printed : "error: " + printed.error().text;
}

std::string Printed(std::string_view text, std::string_view json) {
  const Result<Json> root = ParseJson(json);
  EXPECT_TRUE(root.has_value()) << json;
  return root ? Printed(text, *root, true) : "";
}

void Check(const std::vector<Row>& rows) {
  const Result<Json> root = ParseJson(kJsonPathObject);
  ASSERT_TRUE(root.has_value()) << root.error().text;
  for (const Row& row : rows) {
    EXPECT_EQ(Printed(row.text, *root, true), row.printed) << row.text;
    EXPECT_EQ(Printed(row.text, *root, false), row.strict == nullptr ? row.printed : row.strict)
        << row.text << " without missing keys";
  }
}

std::string Repeated(std::string_view text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(JsonPath, ReadsFieldsAndKeys) {
  Check({
      {"plain", "plain"},
      {"{.}", "emptykey"},
      {"{.metadata.name}", "x"},
      {"{.metadata['name']}", "x"},
      {"{['metadata']['name']}", "x"},
      {"{['metadata.name']}", "x"},
      {R"({["metadata"]})", R"(error: invalid array index "metadata")"},
  });
}

TEST(JsonPath, PrintsValuesAsGoDoes) {
  Check({
      {"{.floats[*]}",
       "1 2.5 1000 1e+06 123456.7 1.2345675e+06 100000 1e+06 1.2345678e+07 0.0001 1e-05 1.5e-07 "
       "1e+20 1e+21 1e+22 -0 0 1.2345678901234567e+19 9223372036854775807"},
      {"{.floats}",
       "[1,2.5,1000,1000000,123456.7,1234567.5,100000,1000000,12345678,0.0001,0.00001,1.5e-7,"
       "100000000000000000000,1e+21,1e+22,-0,0,12345678901234567000,9223372036854775807]"},
      {"{.esc}",
       "{\" "
       "\":null,\"e\":[],\"s\":\"\\u003ca\\u003e\\u0026'"
       "\\\"\\\\\\n\\t\\r\\b\\f\\u0001\177\\u2028\303\251\"}"},
      {"{.esc.s}", "<a>&'\"\\\n\t\r\010\014\001\177\342\200\250\303\251"},
      {"{.null}", "null"},
      {"{.nulls[*]}", "null 1 null"},
      {"{.nulls}", "[null,1,null]"},
      {"{range .nulls[*]}[{@}]{end}", "[<no value>][1][<no value>]"},
      {"{.empty}", "{}"},
      {"{.estr}", ""},
      {"{.empty.*}", ""},
      {"{.str.*}", "104 101 108 108 111"},
  });
}

TEST(JsonPath, DescendsRecursively) {
  Check({
      {"{..z}", "q r"},
      {"{.nested..}",
       R"({"a":{"b":{"c":[[1,2],[3,4]]}}} {"b":{"c":[[1,2],[3,4]]}} {"c":[[1,2],[3,4]]} [[1,2],[3,4]] [1,2] [3,4])"},
      {"{.nested..c[0]}", "[1,2]"},
      {"{..nope}", "", "error: nope is not found"},
  });
}

TEST(JsonPath, IndexesAndSlicesAndUnites) {
  Check({
      {"{.list[*].name}", "a1 b2 c3"},
      {"{.list[0].name}", "a1"},
      {"{.list[-1].name}", "c3"},
      {"{.list[3].name}", "error: array index out of bounds: index 3, length 3"},
      {"{.list[-4].name}", "error: array index out of bounds: index -1, length 3"},
      {"{.list[1:3].name}", "b2 c3"},
      {"{.list[::2].name}", "a1 c3"},
      {"{.list[0,2].name}", "a1 c3"},
      {"{.list[0, 2].name}", "a1 c3"},
      {"{.list[*]['name', 'kind']}", "a1 b2 c3 A B A"},
      {"{.list[*]['name','kind']}", "a1 b2 c3 A B A"},
      {"{.nums[]}", "0"},
      {"{.nums[:]}", "0 1 2 3 4 5"},
      {"{.nums[1:]}", "1 2 3 4 5"},
      {"{.nums[:2]}", "0 1"},
      {"{.nums[-2:]}", "4 5"},
      {"{.nums[0:0]}", ""},
      {"{.nums[9:9]}", ""},
      {"{.nums[3:1]}", "error: starting index 3 is greater than ending index 1"},
      {"{.nums[0:6:2]}", "0 2 4"},
      {"{.nums[0:6:0]}", "error: step must be > 0"},
      {"{.nums[0:6:-1]}", "error: step must be > 0"},
      {"{.nums[0:99]}", "error: array index out of bounds: index 98, length 6"},
      {"{.nums[0:-1]}", "0 1 2 3 4"},
      {"{.nums[-1:0]}", "error: starting index 5 is greater than ending index 0"},
      {"{.nums[-7]}", "error: array index out of bounds: index -1, length 6"},
      {"{.nums[-6]}", "0"},
      {"{.nums[1:2:3:4]}", "error: invalid array index 1:2:3:4"},
      {"{.nums[a]}", "error: invalid array index a"},
      {"{.nums[-]}", "error: array index - is not a number"},
      {"{.nums[:-]}", "error: array index - is not a number"},
      {"{.nums[99999999999999999999]}", "error: array index 99999999999999999999 is not a number"},
      {"{.nums[9223372036854775807]}",
       "error: array index out of bounds: index 9223372036854775807, length 6"},
      {"{.nums[-9223372036854775808]}",
       "error: array index out of bounds: index -9223372036854775802, length 6"},
      {"{.nums[0:-9223372036854775808]}",
       "error: array index out of bounds: index -9223372036854775803, length 6"},
      {"{.nums[0}", "error: unterminated array"},
      {"{.nums[0", "error: unterminated array"},
      {"{.nums", "error: unclosed action"},
      {"{.nums]}", "error: unrecognized character in action: U+005D ']'"},
      {"{.nums,}", "error: unrecognized character in action: U+002C ','"},
  });
}

TEST(JsonPath, IndexesOnlyLists) {
  Check({
      {"{.str[0]}", "error: string is not array or slice"},
      {"{.t[0]}", "error: bool is not array or slice"},
      {"{.big[0]}", "error: float64 is not array or slice"},
      {"{.floats[0][0]}", "error: float64 is not array or slice"},
      {"{.metadata[0]}", "error: map[string]interface {} is not array or slice"},
      {"{.null[0]}", ""},
      {"{.nulls[0][0]}", ""},
      {"{.missing[0]}", "", "error: missing is not found"},
  });
}

TEST(JsonPath, Filters) {
  Check({
      {R"({.list[?(@.kind=="A")].name})", "a1 c3"},
      {"{.list[?(@.kind=='A')].name}", "a1 c3"},
      {R"({.list[?(@.kind!="A")].name})", "b2"},
      {R"({.list[?(.kind=="A")].name})", "a1 c3"},
      {R"({.list[?($.kind=="A")].name})", "a1 c3"},
      {"{.list[?(@.n==2)].name}", "b2"},
      {"{.list[?(@.n>1)].name}", "b2 c3"},
      {"{.list[?(@.n>=2)].name}", "b2 c3"},
      {"{.list[?(@.n<2)].name}", "a1"},
      {"{.list[?(@.n<=2)].name}", "a1 b2"},
      {"{.list[?(@.n==2.0)].name}", "error: incompatible types for comparison"},
      {R"({.list[?(@.n=="2")].name})", "error: incompatible types for comparison"},
      {"{.list[?(@.ready==true)].name}", "a1 c3"},
      {"{.list[?(@.ready==false)].name}", "b2"},
      {"{.list[?(@.ready>true)].name}", "error: invalid type for comparison"},
      {"{.list[?(@.meta)].name}", "a1 b2"},
      {"{.list[?(@.meta.color)].name}", "a1"},
      {R"({.list[?(@.meta.color=="blue")].name})", "a1", "error: color is not found"},
      {"{.list[?(@.f==1.5)].name}", "c3", "error: f is not found"},
      {"{.list[?(@.f==1)].name}", "error: incompatible types for comparison",
       "error: f is not found"},
      {R"({.list[?(@.tags[0]=="z")].name})", "error: array index out of bounds: index 0, length 0"},
      {"{.list[?(@.tags[5])].name}", "a1 b2 c3"},
      {"{.list[?(@.tags[0])].name}", "a1 b2 c3"},
      {R"({.list[?(@.tags[*]=="x")].name})", "error: can only compare one element at a time"},
      {R"({.list[?(@.meta=="x")].name})", "error: invalid type for comparison"},
      {"{.list[?(@.name==@.name)].name}", "a1 b2 c3"},
      {R"({.list[?("A"==@.kind)].name})", "a1 c3"},
      {R"({.list[?(@.kind<>"A")].name})", "error: unrecognized filter operator <>"},
      {R"({.list[?(@.kind="A")].name})", "error: unrecognized filter operator ="},
      {R"({.list[?(@.kind=~"A")].name})", "error: unrecognized character in action: U+007E '~'"},
      {"{.list[?(@.kind==A)].name}", "error: unrecognized identifier A"},
      {"{.list[?(@.kind==)].name}", "error: unrecognized character in action: U+003D '='"},
      {"{.list[?(@.kind=)].name}", ""},
      {"{.list[?(==1)].name}", "error: unrecognized character in action: U+003D '='"},
      {"{.list[?()].name}", "a1 b2 c3"},
      {R"({.list[?(@.kind=="A"].name})", "error: unterminated filter"},
      {R"({.list[?(@.kind=="A)].name})", "error: unterminated filter"},
      {R"({.list[?(@.kind=="A") ].name})", "error: unclosed array expect ]"},
      {R"({.list[?(@.kind == "A")].name})", "a1 c3"},
      {R"({.list[?(@.kind=="A"||@.kind=="B")].name})",
       "error: unrecognized character in action: U+007C '|'"},
      {R"({.list[?(@.kind=="A" && @.n==1)].name})",
       "error: unrecognized character in action: U+0026 '&'"},
      {R"({.list[?(@.kind=="A"))", "error: unclosed array expect ]"},
      {"{.metadata[?(@.x==1)]}",
       "error: map[annotations:map[kubetemplater.io/cert-hash:h1] generation:7 labels:map[app:web "
       "app.kubernetes.io/name:n q:r] name:x] is not array or slice and cannot be filtered"},
      {"{.str[?(@.x==1)]}", "error: hello is not array or slice and cannot be filtered"},
      {"{.null[?(@.x==1)]}", "error: <nil> is not array or slice and cannot be filtered"},
      {"{.missing[?(@.x==1)]}", "", "error: missing is not found"},
      {"{.t[?(@.x==1)]}", "error: true is not array or slice and cannot be filtered"},
      {"{.nums[?(@>3)]}", "4 5"},
      {"{.nums[?(@==3)]}", "3"},
      {"{.nums[?(@)]}", "0 1 2 3 4 5"},
      {"{.nums[?(3<@)]}", "4 5"},
      {"{.nums[?(@>-1)]}", "0 1 2 3 4 5"},
      {"{.nums[?(@>+2)]}", "3 4 5"},
      {"{.mixed[?(@==1)]}", "error: incompatible types for comparison"},
      {R"({.mixed[?(@=="1")]})", "error: incompatible types for comparison"},
      {"{.nulls[?(@==1)]}", "error: invalid type for comparison"},
      {"{.nulls[?(@)]}", "null 1 null"},
      {R"({.conditions[?(@.type=="Ready")].status})", "True"},
      {"{.conditions[?(@.type=='Ready')].status}", "True"},
      {R"({.conditions[?(@.type=="Ready")].status}{.conditions[?(@.type=="Issuing")].status})",
       "TrueFalse"},
      {"{.conditions[?(@.message)].message}", R"(it's "so")"},
      {R"({.conditions[?(@.message=="it's \"so\"")].type})", "Issuing",
       "error: message is not found"},
  });
}

TEST(JsonPath, RangesOverLists) {
  Check({
      {R"({range .list[*]}{.name}{"\n"}{end})", "a1\nb2\nc3\n"},
      {R"({range .list[*]}{.name}{"\t"}{.n}{'\n'}{end}done)", "a1\t1\nb2\t2\nc3\t3\ndone"},
      {"{range .list[*]}{.name}", "a1b2c3", "error: name is not found"},
      {"{range .list[*]}{.name}{end}{end}", "error: not in range, nothing to end"},
      {"{end}", "error: not in range, nothing to end"},
      {"{range .list[*]}{range .tags[*]}{@},{end};{end}|{.kind}", "x,y,;z,;;|ConfigMap"},
      {"{range .empty.list[*]}{.name}{end}after", "after", "error: list is not found"},
      {"{range .list[2].tags[*]}{range .x[*]}{.y}{end}{end}after", "after",
       "error: x is not found"},
      {"{range .empty[*]}{.name}{end}after",
       "error: map[string]interface {} is not array or slice"},
      {"{range .list[2].tags[*]}{[?(@.a)]}{end}after",
       "error: <invalid reflect.Value> is not array or slice and cannot be filtered"},
      {"{range .list}{.name}{end}", "", "error: name is not found"},
      {"{range .list[0:2]}{.name}-{end}", "a1-b2-"},
      {R"({range .list[?(@.kind=="A")]}{.name} {end})", "a1 c3 "},
      {"{range}{.kind}{end}", "ConfigMap"},
  });
}

TEST(JsonPath, ReadsLiteralsAndQuotes) {
  Check({
      {"{hello}", "error: unrecognized identifier hello"},
      {"{true}", "true"},
      {"{false}", "false"},
      {"{5}", "5"},
      {"{-5}", "-5"},
      {"{+5}", "5"},
      {"{1.50}", "1.5"},
      {"{1.2.3}", "error: cannot parse number 1.2.3"},
      {"{1e3}", "error: unrecognized identifier e3"},
      {"{-}", "error: cannot parse number -"},
      {"{99999999999999999999}", "1e+20"},
      {"{1000000.0}", "1e+06"},
      {R"({5}{"x"}{.kind})", "5xConfigMap"},
      {R"({.kind "x"})", "x"},
      {R"({"a" "b"})", "b"},
      {"{.kind 5}", "5"},
      {"{.missing 5}", "", "error: missing is not found"},
      {R"({"\u00e9\x41\101\n"})", "\303\251AA\n"},
      {R"({"\q"})", R"(error: unquote string "\q" error invalid syntax)"},
      {R"({"\'"})", R"(error: unquote string "\'" error invalid syntax)"},
      {R"({'\''})", "'"},
      {R"({'\"'})", R"(error: unquote string '\"' error invalid syntax)"},
      {R"({"a'b"})", "a'b"},
      {R"({'a"b'})", R"(a"b)"},
      {R"({"abc})", "error: unterminated quoted string"},
      {"{'a", "error: unterminated quoted string"},
      {R"({""})", ""},
      {R"({"\\"})", "error: unterminated quoted string"},
      {R"({"\ud800"})", R"(error: unquote string "\ud800" error invalid syntax)"},
  });
}

TEST(JsonPath, ReadsActionsToTheLetter) {
  Check({
      {"{ .kind }", "ConfigMap"},
      {"{\t.kind}", "error: unrecognized character in action: U+0009"},
      {"{#}", "error: unrecognized character in action: U+0023 '#'"},
      {"{\303\251}", "error: unrecognized identifier \303\251"},
      {"{.\303\251}", "", "error: \303\251 is not found"},
      {"{.kind.}", "", "error:  is not found"},
      {"{.kind..}", "ConfigMap"},
      {"{..kind}", "ConfigMap A B A"},
      {"{...z}", "q r"},
      {"{....z}", "error: invalid multiple recursive descent"},
      {"{..*}", "error: unrecognized character in action: U+002A '*'"},
      {"{.list.*.name}", "a1 b2 c3"},
  });
}

TEST(JsonPath, ReadsEscapedKeysAndNestedOnes) {
  Check({
      {"{.labels}", "", "error: labels is not found"},
      {R"({.metadata.labels.app\.kubernetes\.io/name})", "n"},
      {R"({.metadata.labels['app\.kubernetes\.io/name']})", "n"},
      {R"({.metadata.annotations.kubetemplater\.io/cert-hash})", "h1"},
      {R"({.metadata.annotations['kubetemplater\.io/cert-hash']})", "h1"},
      {"{.metadata.annotations['kubetemplater.io/cert-hash']}", "",
       "error: kubetemplater is not found"},
      {"{.metadata['name','generation']}", "x 7"},
      {"{['']}", "emptykey"},
      {"{.list[0]['meta.z']}", "q"},
      {"{.list[*].nope}", "", "error: nope is not found"},
      {"{.list[*].f}", "1.5"},
      {"{a}{b", "error: unclosed action"},
      {"}", "}"},
      {"{.kind}}", "ConfigMap}"},
      {"{{.kind}}", "error: unrecognized character in action: U+007B '{'"},
      {"{.kind}{", "error: unclosed action"},
      {"text {.kind} text {.metadata.name}!", "text ConfigMap text x!"},
      {"{.list[*].tags[*]}", "x y z"},
      {"{.list[*].tags[0]}", "error: array index out of bounds: index 0, length 0"},
      {"{.list[*].tags[0:0]}{.nums[0]}", "0"},
      {"{.list[*].tags[-1]}", "error: array index out of bounds: index -1, length 0"},
      {"{.nested.a.b.c[*][0]}", "1 3"},
      {"{.nested.a.b.c[1][1]}", "4"},
      {"{..tags[0]}", "error: array index out of bounds: index 0, length 0"},
      {"{..[0]}", "error: map[string]interface {} is not array or slice"},
  });
}

TEST(JsonPath, FiltersWithOddOperands) {
  Check({
      {"{.list[?(@.nope==1)].name}", "", "error: nope is not found"},
      {"{.list[?(@.n==@.nope)].name}", "", "error: nope is not found"},
      {R"({.list[?(@.name>"a2")].name})", "b2 c3"},
      {R"({.list[?(@..z=="q")].name})", "a1", "error: z is not found"},
      {"{.list[0][?(@.a)]}",
       "error: map[kind:A meta:map[color:blue z:q] n:1 name:a1 ready:true tags:[x y]] is not array "
       "or slice and cannot be filtered"},
      {"{.list[?(range)].name}", ""},
      {"{.list[?(hello)].name}", "a1 b2 c3"},
      {"{.list[?(hello==1)].name}", "error: unrecognized identifier hello"},
      {"{.list[?(@.tags[9]==1)].name}", "error: array index out of bounds: index 9, length 2"},
      {"{.list[?(@.n=1)].name}", "error: unrecognized filter operator ="},
      {"{.list[?(@.n!1)].name}", "error: unrecognized filter operator !"},
      {"{.list[?(@.n===1)].name}", "error: unrecognized filter operator ==="},
      {"{.list[?(!@.n)].name}", "error: unrecognized character in action: U+0021 '!'"},
      {"{.list[0,9].name}", "error: array index out of bounds: index 9, length 3"},
      {"{.list[0,a].name}", "error: invalid array index a"},
      {"{.list['name',]}",
       R"({"kind":"A","meta":{"color":"blue","z":"q"},"n":1,"name":"a1","ready":true,"tags":["x","y"]})",
       "error: name is not found"},
      {"{.list[0]['name','nope']}", "a1", "error: nope is not found"},
      {"{.list[0]['nope']}", "", "error: nope is not found"},
      {"{.list[*]['f']}", "1.5"},
      {"{.list[0,1,2]['n']}", "1 2 3"},
      {R"({.kind["]})", R"(error: invalid array index ")"},
      {"{.list[0]name}", "error: unrecognized identifier name"},
      {"{.list [0] .name}", "a1"},
      {"{ range .list[*] }{.name}{ end }", "a1b2c3"},
      {"{range .list[*]}{range .list[*]}{.name}{end}{.name}{end}", "a1b2c3",
       "error: list is not found"},
      {"{range .list[*]}{range .tags[*]}{@}{end}{range .tags[*]}{@}{end}/{end}", "xyxy/zz//"},
      {"{end}{range .list[*]}", "error: not in range, nothing to end"},
      {"{.kind end}", "error: not in range, nothing to end"},
      {"{.kind range}x{.metadata}{end}", "x", "error: metadata is not found"},
      {"{.big}", "9.223372036854776e+18"},
      {"{.floats[?(@==1000)]}", "error: incompatible types for comparison"},
      {"{.floats[?(@>1.0)]}", "error: incompatible types for comparison"},
      {"{.t}{.null}{.nums[1]}", "truenull1"},
      {"{.'kind'}", "", "error: 'kind' is not found"},
      {R"({.list[?(@.kind=="A")][?(@.n)]})",
       "error: map[kind:A meta:map[color:blue z:q] n:1 name:a1 ready:true tags:[x y]] is not array "
       "or slice and cannot be filtered"},
      {R"({.list[?(@.tags[?(@=="x")])].name})", "error: unterminated filter"},
      {R"({.list[?(@.name=="a)1")].name})", ""},
      {R"({.list[?(@["name"]=="a1")].name})", R"(error: invalid array index "name")"},
      {R"({.list[?(@['name']=="a1")].name})", "a1"},
      {R"({.list[?(@.kind==["A"])].name})", R"(error: invalid array index "A")"},
      {R"({'\n'})", "\n"},
      {"{\"a\nb\"}", "error: unterminated quoted string"},
      {"{.kind\n}", "error: unclosed action"},
      {"{.list[?(@.a\n)]}", "error: unterminated filter"},
      {"a\nb{.kind}", "a\nbConfigMap"},
      {"{.kind\r}", "error: unclosed action"},
      {"{.nums[0\n]}", "error: unterminated array"},
  });
}

TEST(JsonPath, PrintsWholeObjectsWithSortedKeys) {
  constexpr const char* kJson = R"({"b":{"d":1,"c":[]},"a":"<x>"})";
  for (const char* text : {"{@}", "{$}", "{}", "{ }"}) {
    EXPECT_EQ(Printed(text, kJson), R"({"a":"\u003cx\u003e","b":{"c":[],"d":1}})") << text;
  }
  EXPECT_EQ(Printed("{.*}", kJson), R"(<x> {"c":[],"d":1})");
  EXPECT_EQ(Printed("{.b..}{.b.*}", kJson), R"({"c":[],"d":1}[] 1)");
}

TEST(JsonPath, SeesTheLastOfDuplicateKeysOnly) {
  EXPECT_EQ(Printed("{.a}|{.*}|{@}", R"({"a":1,"b":2,"a":3})"), R"(3|3 2|{"a":3,"b":2})");
}

TEST(JsonPath, TreatsTheBodyOfAnEmptyRangeAsNothingWhereKubectlCrashes) {
  EXPECT_EQ(Printed("{range .a[*]}{[0]}{end}after", R"({"a":[]})"), "after");
}

TEST(JsonPath, PrintsNumbersAtTheirEdges) {
  EXPECT_EQ(
      Printed("{[*]}", "[5e-324,2.2250738585072014e-308,1.7976931348623157e308,0.1,123456.0]"),
      "5e-324 2.2250738585072014e-308 1.7976931348623157e+308 0.1 123456");
  EXPECT_EQ(Printed("{@}", "[1e-6,9.9e-7,1e-10,123456789.25,-1e21,999999999999999999999.0]"),
            "[0.000001,9.9e-7,1e-10,123456789.25,-1e+21,1e+21]");
  EXPECT_EQ(Printed("{[*]}", "[-9223372036854775808,-9223372036854775809]"),
            "-9223372036854775808 -9.223372036854776e+18");
}

TEST(JsonPath, FindsOneListForEachTextAndAction) {
  const Result<Json> root = ParseJson(R"({"a":[1,2],"b":{}})");
  const Result<JsonPath> path = JsonPath::Parse("x{.a[*]}{.c}{range .a[*]}{@}{end}");
  ASSERT_TRUE(root && path);
  const auto found = path->Find(*root, true);
  ASSERT_TRUE(found.has_value());
  std::vector<size_t> sizes;
  for (const JsonPath::Values& values : *found) sizes.push_back(values.size());
  EXPECT_EQ(sizes, (std::vector<size_t>{1, 2, 0, 1, 1}));
  EXPECT_EQ((*found)[1][1], &(*root)["a"][1]);
}

TEST(JsonPath, TellsWhatMayStillComeFromWhatIsWrong) {
  const Result<Json> root = ParseJson(R"({"a":[1,2]})");
  ASSERT_TRUE(root.has_value());
  auto code = [&](std::string_view text) {
    const Result<JsonPath> path = JsonPath::Parse(text);
    return path ? path->Find(*root, false).error().code : path.error().code;
  };
  EXPECT_EQ(code("{.b}"), Code::kNotFound);
  EXPECT_EQ(code("{.a[5]}"), Code::kNotFound);
  EXPECT_EQ(code("{[0]}"), Code::kConfig);
  EXPECT_EQ(code("{.a[?(@>\"x\")]}"), Code::kConfig);
  EXPECT_EQ(code("{.a"), Code::kConfig);
}

TEST(JsonPath, RunsAsOftenAsWantedAndCopies) {
  const Result<Json> root = ParseJson(R"({"a":[1,2],"b":[]})");
  Result<JsonPath> path = JsonPath::Parse("{range .a[*]}{@},{end}{range .b[*]}{.c}{end}!");
  ASSERT_TRUE(root && path);
  JsonPath copy = *path;
  JsonPath assigned = *JsonPath::Parse("");
  assigned = copy;
  for (const JsonPath* each : {&*path, &copy, &assigned, &copy}) {
    EXPECT_EQ(*each->Print(*root, true), "1,2,!");
  }
}

TEST(JsonPath, RefusesTemplatesPastTheBounds) {
  EXPECT_EQ(Printed(std::string(kMaxJsonPathTemplate, 'x'), "{}").size(), kMaxJsonPathTemplate);
  EXPECT_EQ(Printed(std::string(kMaxJsonPathTemplate + 1, 'x'), "{}"),
            "error: jsonpath is too long");
  const std::string ranges = Repeated("{range @}", kMaxJsonPathDepth);
  EXPECT_EQ(Printed(ranges + Repeated("{end}", kMaxJsonPathDepth), R"({"a":1})"), "");
  EXPECT_EQ(Printed(ranges + "{range @}", R"({"a":1})"),
            "error: jsonpath has too many nested ranges");
}

TEST(JsonPath, StopsWhereAnEvaluationExplodes) {
  constexpr const char* kTooMany = "error: jsonpath takes too many steps";
  const std::string list = "[" + Repeated("[1,2,3,4,5,6,7,8],", 500) + "[]]";
  const std::string nested = Repeated("[", 60) + Repeated("]", 60);
  EXPECT_EQ(Printed(Repeated("{..}", 1000), list), kTooMany);
  EXPECT_EQ(Printed(Repeated("{range [0,0]}", 30), nested), kTooMany);
  EXPECT_EQ(Printed("{" + Repeated("[0,0]", 30) + "}", nested), kTooMany);
  EXPECT_EQ(Printed(Repeated("{[?(@[*])]}", 1000), list), kTooMany);
  const std::string long_text = "[\"" + std::string(1 << 20, 'x') + "\"]";
  EXPECT_EQ(Printed("{[0].*}", long_text), kTooMany);
  EXPECT_EQ(Printed(Repeated("{[0]}", 100), long_text), "error: jsonpath prints too much");
}

}  // namespace
}  // namespace certlatch
