"""Pictures and videos, in the shapes of the Images API and of gateways that film."""
