mod decisions;
mod documents;
mod properties;
mod world;
