"""The MCP server: what assistants may ask a collector, as tools over the Model Context Protocol.

Reading order: `server` (puts it together), `collector` (the HTTP API behind every tool), `recorded` (how recorded text
is told from the tool's own words, and cut to a budget), `tables` (figures as text), then the tools: `runs`, `query`,
`tasks` and `asks`, of which those that change something are offered on request only.

Everything a tool hands over was written by agents, models, tools and users: it is data, and is marked as such.
"""
