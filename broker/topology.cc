// SPDX-License-Identifier: Apache-2.0
// The seam to toml++, used header-only and without exceptions, so that nothing but this file depends on its C++ ABI.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "broker/topology_toml.h"

#include <string>

namespace
{

toml_position position_of(const toml::source_region &region)
{
    return {region.begin.line, region.begin.column};
}

toml_value value_of(const toml::node &node)
{
    toml_value value = {};
    value.position = position_of(node.source());
    value.node = &node;
    if (const auto *text = node.as_string()) {
        value.type = TOML_STRING;
        value.text = text->get().c_str();
        value.size = text->get().size();
    } else if (const auto *integer = node.as_integer()) {
        value.type = TOML_INTEGER;
        value.integer = integer->get();
    } else if (const auto *boolean = node.as_boolean()) {
        value.type = TOML_BOOLEAN;
        value.boolean = boolean->get();
    } else if (const auto *array = node.as_array()) {
        value.type = TOML_ARRAY;
        value.count = array->size();
    } else if (node.is_table()) {
        value.type = TOML_TABLE;
    } else {
        value.type = node.is_floating_point() ? TOML_FLOAT : TOML_TIME;
    }
    return value;
}

void walk_section(const toml::table &section, const toml_visitor *visitor)
{
    for (auto &&[key, node] : section) {
        std::string name(key.str());
        toml_value value = value_of(node);
        visitor->value(visitor->context, name.c_str(), position_of(key.source()), &value);
    }
}

} // namespace

void toml_walk(const char *text, size_t size, const toml_visitor *visitor)
{
    toml::parse_result parsed = toml::parse(std::string_view(text, size));
    if (!parsed) {
        std::string why(parsed.error().description());
        visitor->broken(visitor->context, why.c_str(), position_of(parsed.error().source()));
        return;
    }
    for (auto &&[key, node] : parsed.table()) {
        std::string name(key.str());
        const toml::table *section = node.as_table();
        visitor->section(visitor->context, name.c_str(), section != nullptr, position_of(key.source()));
        if (section)
            walk_section(*section, visitor);
    }
}

toml_value toml_item(const toml_value *array, size_t index)
{
    return value_of(*static_cast<const toml::node *>(array->node)->as_array()->get(index));
}
