"""The walkable streets: a street map comes in, a graph to walk along goes out, and the roads that buses may use."""
