#include "lamina/core/config.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

namespace lamina {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class Owner : public Describable {
 public:
  static const Registry<Owner>& registry();
};

struct PersonOptions {};

class Person final : public Described<Person, Owner, PersonOptions> {
 public:
  static constexpr const char* kType = "Person";
  static constexpr const char* kDoc = "A person.";
  static constexpr std::array kAliases{"person"};
  static void fields(Fields<PersonOptions>&) {}
  using Described::Described;
};

const Registry<Owner>& Owner::registry() {
  static const Registry<Owner> registry("owner", TypeList<Person>());
  return registry;
}

// A small described kind, with a field of every basic type.
class Animal : public Describable {
 public:
  static const Registry<Animal>& registry();
};

struct CatOptions {
  double speed = 1.0;
  bool hungry = false;
  std::int64_t lives = 9;
  std::string colour = "grey";
  Shape box = {2, 3};
  std::optional<double> weight = {};
  std::vector<double> naps = {};
  std::shared_ptr<const Owner> owner = nullptr;
};

class Cat final : public Described<Cat, Animal, CatOptions> {
 public:
  static constexpr const char* kType = "Cat";
  static constexpr const char* kDoc = "A cat.";
  static constexpr std::array kAliases{"cat", "kitten"};
  static void fields(Fields<CatOptions>& field) {
    field("speed", &CatOptions::speed, "", in_range(0, 10));
    field("hungry", &CatOptions::hungry, "");
    field("lives", &CatOptions::lives, "", at_least(1));
    field("colour", &CatOptions::colour, "", one_of({"grey", "black"}));
    field("box", &CatOptions::box, "", at_least(1));
    field("weight", &CatOptions::weight, "", positive());
    field("naps", &CatOptions::naps, "", non_negative());
    field("owner", &CatOptions::owner, "");
  }
  using Described::Described;
};

struct DogOptions {
  double speed = 2.0;
};

class Dog final : public Described<Dog, Animal, DogOptions> {
 public:
  static constexpr const char* kType = "Dog";
  static constexpr const char* kDoc = "A dog.";
  static void fields(Fields<DogOptions>& field) {
    field("speed", &DogOptions::speed, "", finite()).required();
  }
  using Described::Described;
};

// Of the kind, but not in its registry: as classes written in Python are.
class Stranger final : public Owner {
 public:
  std::string type() const override { return "Stranger"; }
  Config config() const override { return {"Stranger", {}}; }
};

const Registry<Animal>& Animal::registry() {
  static const Registry<Animal> registry("animal", TypeList<Cat, Dog>());
  return registry;
}

template <class F>
std::string message_of(F&& function) {
  try {
    function();
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "no error";
}

TEST_CASE("format_number writes numbers as Python does") {
  CHECK(format_number(0.001) == "0.001");
  CHECK(format_number(1.0) == "1.0");
  CHECK(format_number(-0.0) == "-0.0");
  CHECK(format_number(0.0001) == "0.0001");
  CHECK(format_number(0.00001) == "1e-05");
  CHECK(format_number(1e-7) == "1e-07");
  CHECK(format_number(1.5e300) == "1.5e+300");
  CHECK(format_number(1e15) == "1000000000000000.0");
  CHECK(format_number(1e16) == "1e+16");
  CHECK(format_number(0.1 + 0.2) == "0.30000000000000004");
  CHECK(format_number(kInfinity) == "inf");
  CHECK(format_number(-kInfinity) == "-inf");
  CHECK(format_number(kNan) == "nan");
}

TEST_CASE("format_number reads back as the same number") {
  std::uint64_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const std::uint64_t bits = state ^ (state >> 29);
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const double back = std::strtod(format_number(value).c_str(), nullptr);
    REQUIRE(back == value);
  }
}

TEST_CASE("decimal finds the number that a person meant by a float") {
  CHECK(decimal(static_cast<double>(0.1F)) == 0.1);
  CHECK(decimal(static_cast<double>(1e-3F)) == 1e-3);
  CHECK(decimal(0.1) == 0.1);  // no float: stays
  CHECK(decimal(0.5) == 0.5);
  CHECK(decimal(1e300) == 1e300);
  CHECK(decimal(kInfinity) == kInfinity);
  CHECK(std::isnan(decimal(kNan)));
}

TEST_CASE("Value::str writes values as Python does") {
  CHECK(Value().str() == "None");
  CHECK(Value(true).str() == "True");
  CHECK(Value(false).str() == "False");
  CHECK(Value(3).str() == "3");
  CHECK(Value(0.001).str() == "0.001");
  CHECK(Value("relu").str() == "'relu'");
  CHECK(Value("it's").str() == "\"it's\"");
  CHECK(Value("it's \"so\"").str() == "'it\\'s \"so\"'");
  CHECK(Value("a\\b\n\t\x01").str() == "'a\\\\b\\n\\t\\x01'");
  CHECK(Value(Value::List{}).str() == "()");
  CHECK(Value(Value::List{4}).str() == "(4,)");
  CHECK(Value(Value::List{3, 4.0}).str() == "(3, 4.0)");
  CHECK(Value(Config{"L2", {{"l2", 0.01}}}).str() == "L2(l2=0.01)");
  CHECK(Value(Config{"Zeros", {}}).str() == "Zeros()");
}

TEST_CASE("values compare by content") {
  const Config config{"L2", {{"l2", 0.01}}};
  CHECK(Value(config) == Value(config));
  CHECK_FALSE(Value(config) == Value(Config{"L2", {{"l2", 0.02}}}));
  CHECK(Value(Value::List{1, "a"}) == Value(Value::List{1, "a"}));
  CHECK_FALSE(Value(Value::List{1}) == Value(Value::List{2}));
  CHECK_FALSE(Value(1) == Value(true));
  CHECK(Value() == Value());
  CHECK(*config.find("l2") == Value(0.01));
  CHECK(config.find("l1") == nullptr);
}

TEST_CASE("nearest_name forgives typing errors, and nothing else") {
  const std::vector<std::string> names = {"relu", "leaky_relu", "tanh", "categorical_crossentropy"};
  CHECK(nearest_name("rleu", names) == "relu");
  CHECK(nearest_name("Relu", names) == "relu");
  CHECK(nearest_name("leakyrelu", names) == "leaky_relu");
  CHECK(nearest_name("categorical_cross_entropy", names) == "categorical_crossentropy");
  CHECK(nearest_name("banana", names) == "");
  CHECK(nearest_name("", names) == "");
  CHECK(nearest_name("relu", {}) == "");
  CHECK(nearest_name(std::string(100000, 'r'), names) == "");
}

TEST_CASE("throw_unknown names the nearest, or all") {
  CHECK(message_of([] { throw_unknown("activation", "rleu", {"relu", "tanh"}); }) ==
        "Unknown activation 'rleu'; did you mean 'relu'?");
  CHECK(message_of([] { throw_unknown("activation", "xyz", {"relu", "tanh"}); }) ==
        "Unknown activation 'xyz'; expected one of 'relu', 'tanh'.");
}

TEST_CASE("checks accept what they say") {
  const auto passes = [](const Check& check, const Value& value) { return check(value).empty(); };
  CHECK(passes(in_range(0, 1), 0.0));
  CHECK_FALSE(passes(in_range(0, 1), 1.0));
  CHECK(in_range(0, 1)(1.5) == "a number in [0, 1)");
  CHECK(passes(in_closed_range(0, 1), 1.0));
  CHECK(in_closed_range(0, 0.5)(0.6) == "a number in [0, 0.5]");
  CHECK_FALSE(passes(positive(), 0.0));
  CHECK(passes(positive(), 1e-300));
  CHECK(passes(non_negative(), 0.0));
  CHECK_FALSE(passes(non_negative(), -1.0));
  CHECK(passes(at_least(1), 1));
  CHECK_FALSE(passes(at_least(1), 0));
  CHECK(passes(one_of({"cos"}), "cos"));
  CHECK(one_of({"cos", "linear"})("line") == "one of 'cos', 'linear'");
  for (const Check& check : {in_range(0, 1), in_closed_range(0, 1), positive(), non_negative(), finite()}) {
    CHECK_FALSE(passes(check, kNan));
    CHECK_FALSE(passes(check, kInfinity));
    CHECK_FALSE(passes(check, "text"));
    CHECK(passes(check, Value()));  // None: the type of the field decides
  }
  CHECK(passes(non_negative(), Value::List{0.0, 1.0}));
  CHECK_FALSE(passes(non_negative(), Value::List{0.0, -1.0}));
}

TEST_CASE("a described object checks and canonicalises its options") {
  const Cat cat({.speed = static_cast<double>(0.1F), .box = {4}, .weight = 3.5});
  CHECK(cat.options().speed == 0.1);
  CHECK(cat.repr() ==
        "Cat(speed=0.1, hungry=False, lives=9, colour='grey', box=(4,), weight=3.5, naps=(), "
        "owner=None)");
  CHECK(message_of([] { Cat({.speed = 10.0}); }) ==
        "Cat: expected speed to be a number in [0, 10), got 10.0.");
  CHECK(message_of([] { Cat({.lives = 0}); }) ==
        "Cat: expected lives to be a whole number of at least 1, got 0.");
  CHECK(message_of([] { Cat({.weight = -1.0}); }) ==
        "Cat: expected weight to be a positive number, got -1.0.");
  CHECK(message_of([] { Cat({.naps = {1.0, kNan}}); }).find("a list whose items are each") !=
        std::string::npos);
}

TEST_CASE("an object in a field is kept, also when no registry knows its type") {
  const auto stranger = std::make_shared<const Stranger>();
  const Cat cat({.owner = stranger});
  CHECK(cat.options().owner == stranger);
}

TEST_CASE("an object comes back from its description") {
  const Cat cat({.hungry = true, .colour = "black", .naps = {0.5, 2.0}, .owner = std::make_shared<Person>()});
  const auto again = Animal::registry().make(cat.config());
  CHECK(again->config() == cat.config());
  CHECK(Animal::registry().make("kitten")->config() == Cat().config());
}

TEST_CASE("descriptions that don't fit are errors") {
  const auto make = [](Config config) { return message_of([&] { Animal::registry().make(config); }); };
  CHECK(make({"Cta", {}}) == "Unknown animal 'Cta'; did you mean 'Cat'?");
  CHECK(make({"Cat", {{"spede", 1.0}}}) == "Unknown argument of Cat 'spede'; did you mean 'speed'?");
  CHECK(make({"Dog", {}}) == "Dog: expected the argument 'speed', got none.");
  CHECK(make({"Cat", {{"speed", true}}}) == "Cat: speed: expected a number, got True.");
  CHECK(make({"Cat", {{"hungry", 1}}}) == "Cat: hungry: expected True or False, got 1.");
  CHECK(make({"Cat", {{"lives", 3.0}}}) == "Cat: lives: expected a whole number, got 3.0.");
  CHECK(make({"Cat", {{"colour", 1}}}) == "Cat: colour: expected a text, got 1.");
  CHECK(make({"Cat", {{"box", 1}}}) == "Cat: box: expected a shape such as (28, 28), got 1.");
  CHECK(make({"Cat", {{"box", Value::List{-1}}}}) ==
        "Cat: box: expected a shape of non-negative whole numbers, got (-1,).");
  CHECK(make({"Cat", {{"naps", 1.0}}}) == "Cat: naps: expected a list, got 1.0.");
  CHECK(make({"Cat", {{"owner", 1}}}) == "Cat: owner: expected a name or an object, got 1.");
  CHECK(make({"Cat", {{"speed", 1}, {"weight", Value()}, {"owner", "person"}}}) == "no error");
}

TEST_CASE("a schema tells names, kinds and defaults") {
  const Schema& schema = Animal::registry().entries()[0].schema;
  CHECK(schema.type == "Cat");
  CHECK(schema.aliases == std::vector<std::string>{"cat", "kitten"});
  std::vector<std::string> kinds;
  for (const FieldInfo& info : schema.fields) kinds.push_back(info.kind);
  CHECK(kinds == std::vector<std::string>{"float", "bool", "int", "str", "shape", "float?", "list of float",
                                          "owner?"});
  CHECK(schema.fields[2].default_value == Value(9));
  CHECK(Animal::registry().entries()[1].schema.fields[0].required);
}

}  // namespace
}  // namespace lamina
