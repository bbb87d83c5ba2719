"""What users attach: links and data: URLs, fetched safely into files that nobody else can open."""
