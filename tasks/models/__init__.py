"""Tasks of the models area: read the model that serves, and change which one does."""
